/** Rows: what goes in. One text with its id, or the reason why a record has no text. */

/** A text, or its token ids without [CLS] and [SEP]. */
export type TextInput = string | readonly number[];

/** One token of a text. */
export interface TextToken {
  id: number;
  /** As in the vocabulary: `##` marks a piece that continues a word. */
  text: string;
  /** Whether it is a special token such as [CLS] or [SEP]. */
  special: boolean;
}

/** Why a row has no text to embed. Part of the API: codes are added, never renamed. */
export type RowErrorCode =
  /** The line is not JSON. */
  | 'invalid-json'
  /** The line is JSON, but an array, a string, a number … instead of an object. */
  | 'not-an-object'
  /** The object has no text field, or the field is null. */
  | 'missing-text'
  /** The text field holds a number, a boolean, a list or an object. */
  | 'text-not-string'
  /** The bytes of the row are not UTF-8. */
  | 'invalid-utf8'
  /** The row is longer than `maxRowBytes`. */
  | 'row-too-large'
  /** The id is neither a string nor a number that JSON represents exactly. */
  | 'invalid-id'
  /** The id is longer than `maxIdBytes` in UTF-8. */
  | 'id-too-long'
  /** The record has more or fewer columns than the header. */
  | 'wrong-columns'
  /** A quoted field is never closed, or continues after its closing quote. */
  | 'unclosed-quote';

/** One text with its id, as the user gave it. */
export interface Row {
  readonly ok: true;
  /** 1-based line of the input where the record starts, or the line the client gave (JSONL field `line`). */
  readonly line: number;
  /** As given, numbers as text; null if missing or empty. */
  readonly id: string | null;
  /** As given, possibly empty. */
  readonly text: string;
}

/** A row without a text to embed. */
export interface BadRow {
  readonly ok: false;
  /** As in `Row`. */
  readonly line: number;
  /** The id if it could be read and is valid, else null. */
  readonly id: string | null;
  /** A `RowErrorCode`, or the code that the client gave in the JSONL field `error`. */
  readonly code: RowErrorCode | (string & {});
  /** Quotes (shortened) what was given and says what was expected. */
  readonly message: string;
  /** Set if the client sent the row as bad (JSONL field `error`) to keep its position among the others. */
  readonly keepsPlace?: true;
}

/** The result of reading one record. */
export type RowRead = Row | BadRow;
