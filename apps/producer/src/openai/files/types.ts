/** Facts about a stored file. */

/** `batch`: uploaded as the input of a batch. `batch_output`: written by a batch. */
export type FilePurpose = 'batch' | 'batch_output';

/** A complete file. Times are milliseconds since 1970. */
export interface StoredFile {
  /** `file-…`; sorts by age. */
  id: string;
  bytes: number;
  createdAt: number;
  /** When it is deleted automatically; `null` is never. */
  expiresAt: number | null;
  /** Name given by the client. */
  filename: string;
  purpose: FilePurpose;
}
