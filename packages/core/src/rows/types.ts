/** What a reader of rows takes and gives; the producer and the CLI hold these. */

/** How the bytes of an input are cut into rows. */
export type RowFormat = 'jsonl' | 'csv' | 'tsv' | 'txt';

/** Why a row has no text to embed. Part of the API: codes are added, never renamed. */
export type RowErrorCode =
  /** The line is not JSON. */
  | 'invalid-json'
  /** The line is JSON, but an array, a string, a number … instead of an object. */
  | 'not-an-object'
  /** The object has no text field, or it is null. */
  | 'missing-text'
  /** The text field holds a number, a boolean, a list or an object. */
  | 'text-not-string'
  /** The bytes of the row are not UTF-8. */
  | 'invalid-utf8'
  /** The row is longer than `maxRowBytes`. */
  | 'row-too-large'
  /** The id is neither a string nor a number that JSON keeps exactly. */
  | 'invalid-id'
  /** The id is longer than `maxIdBytes` in UTF-8. */
  | 'id-too-long'
  /** The record has more or fewer columns than the header. */
  | 'wrong-columns'
  /** A quoted field is never closed, or goes on behind its closing quote. */
  | 'unclosed-quote';

/** One text with its id, as the user gave it. */
export interface Row {
  readonly ok: true;
  /** 1-based line of the input where the record starts, or the line the client gave (JSONL field `line`). */
  readonly line: number;
  /** As given, numbers as text; null when none (or an empty one) was given. */
  readonly id: string | null;
  /** As given, possibly empty. */
  readonly text: string;
}

/** A row that has no text to embed. */
export interface BadRow {
  readonly ok: false;
  /** As in `Row`. */
  readonly line: number;
  /** The id where it could be read and may be used, else null. */
  readonly id: string | null;
  /** A `RowErrorCode`, or the code that the client gave in the JSONL field `error`. */
  readonly code: RowErrorCode | (string & {});
  /** Quotes (shortened) what was given and says what was expected. */
  readonly message: string;
  /** Set when the client itself sent the row as bad (JSONL field `error`), to keep its place among the others. */
  readonly keepsPlace?: true;
}

/** What one record of an input became. */
export type RowRead = Row | BadRow;

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
