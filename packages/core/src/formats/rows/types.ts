/** Options of the row readers, and their defaults. */

/** Input formats. */
export type RowFormat = 'jsonl' | 'csv' | 'tsv' | 'txt';

/** Options of `readRows`. */
export interface ReadRowsOptions {
  readonly format: RowFormat;
  /** JSON key or CSV column of the text. Default `text`. Not used by txt. */
  readonly textField?: string;
  /**
   * JSON key or CSV column of the id. Default `id`. A CSV or TSV input without this column is rejected,
   * unless the name is the default: then its rows have no ids. Not used by txt.
   */
  readonly idField?: string;
  /** Maximum length of a record in bytes, without its line end. Default 1 MiB. */
  readonly maxRowBytes?: number;
  /** Maximum length of an id in bytes of UTF-8. Default 512. */
  readonly maxIdBytes?: number;
}

/** Defaults of the options. */
export const ROW_DEFAULTS = {
  textField: 'text',
  idField: 'id',
  maxRowBytes: 1024 * 1024,
  maxIdBytes: 512,
} as const;

/** Options with all defaults filled in, as the parsers take them. */
export type RowSettings = Required<ReadRowsOptions>;
