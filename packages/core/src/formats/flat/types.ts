/** Flat tables of texts and numbers, for people: what the formats of this folder write. */

/** A column of texts or of 64-bit floats; numbers in a column of texts stay numbers where a format has types per cell. */
export interface FlatColumn {
  name: string;
  kind: 'text' | 'number';
}

/** `null` for a missing value. */
export type FlatCell = string | number | null;

/** Rows in the order of the table; each has one cell per column. */
export type FlatRows = AsyncIterable<readonly (readonly FlatCell[])[]>;

/** A format of flat tables. */
export interface FlatFormat {
  contentType: string;
  /** File name extension, with the dot. */
  extension: string;
  /** Maximum rows besides the header. */
  maxRows: number;
  /** The bytes of a file, in chunks. */
  encode(columns: readonly FlatColumn[], rows: FlatRows): AsyncIterable<Uint8Array>;
}
