/** What a reader of rows takes and gives; the producer and the CLI hold these. */

/** How the bytes of an input are cut into rows. */
export type RowFormat = 'jsonl' | 'csv' | 'tsv' | 'txt';

/** How `readRows` reads. */
export interface ReadRowsOptions {
  readonly format: RowFormat;
  /** The JSON key or CSV column with the text. Default `text`. Not used by txt. */
  readonly textField?: string;
  /**
   * The JSON key or CSV column with the id. Default `id`. A CSV or TSV input without the column is refused, except
   * when the name is the default: then its rows have no ids. Not used by txt.
   */
  readonly idField?: string;
  /** Longest record in bytes, without its line end. Default 1 MiB. */
  readonly maxRowBytes?: number;
  /** Longest id in bytes of UTF-8. Default 512. */
  readonly maxIdBytes?: number;
}

/** The values of the options that a caller left out. */
export const rowDefaults = {
  textField: 'text',
  idField: 'id',
  maxRowBytes: 1024 * 1024,
  maxIdBytes: 512,
} as const;

/** Options with nothing left out, as the parsers take them. */
export type RowSettings = Required<ReadRowsOptions>;
