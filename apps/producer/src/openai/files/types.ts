/** What is known of a kept file besides its bytes. */

/** `batch`: uploaded as the input of a batch. `batch_output`: made by one. */
export type FilePurpose = 'batch' | 'batch_output';

/** A file that is whole. Times are milliseconds since 1970. */
export interface KeptFile {
  /** `file-…`; sorts by age. */
  id: string;
  bytes: number;
  createdAt: number;
  /** When it is removed by itself; `null` is never. */
  expiresAt: number | null;
  /** As its sender called it. */
  filename: string;
  purpose: FilePurpose;
}
