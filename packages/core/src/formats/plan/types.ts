/** The reading plan of an input: what it holds, how it is read, and why it cannot be. */

import type { Packing } from '../rows/unpack.ts';

export type { Packing } from '../rows/unpack.ts';

/** Formats of inputs: records of text, then tables that say what they hold themselves. */
export type InputFormat = 'jsonl' | 'json' | 'csv' | 'tsv' | 'txt' | 'parquet' | 'arrow';

/** Tables that are not files: a LanceDB table, the result of an SQL query. */
export type DatabaseFormat = 'lance' | 'query';

/** How lines end. */
export type LineEnd = 'lf' | 'crlf' | 'cr';

/** What the values of a column have in common; `null` if the sample has none. */
export type ColumnType =
  | 'text'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'time'
  | 'list'
  | 'object'
  | 'mixed'
  | null;

/** A column of the input. */
export interface PlanColumn {
  /** Unique: columns that share a name are called `name_1`, `name_2` … */
  readonly name: string;
  readonly type: ColumnType;
  /** Whether the values are sentences, as opposed to ids, codes, dates and delimiters. */
  readonly isProse: boolean;
  /** Whether every value of the sample is present, short and different. */
  readonly isUnique: boolean;
  /** Mean length of its values in characters, of those that are present. */
  readonly meanChars: number;
}

/** How CSV and TSV are split. */
export interface Dialect {
  /** One character. */
  readonly delimiter: string;
  /** One character; `null` if a line is a record and a quote is text. */
  readonly quote: string | null;
  /** Whether the first record names the columns. */
  readonly header: boolean;
}

/** What makes an input unreadable as it is, and the choices that would read it. */
export interface PlanProblem {
  /** Stable, in kebab-case. */
  readonly code: string;
  /** Quotes what was found and says what was expected. */
  readonly message: string;
  /** Choices to add, such as `{ textField: 'body' }`; `null` if none would help. */
  readonly fix: PlanChoices | null;
}

/** How an input is read. A value without functions: it is printed as JSON and sent by the API. */
export interface ReadingPlan<Format = InputFormat> {
  /** Name of the input. */
  readonly name: string;
  readonly packing: Packing;
  /** A label of the Encoding Standard in lower case, such as `utf-8`, `utf-16le` or `windows-1252`. */
  readonly charset: string;
  readonly format: Format;
  /** `null` for tables, and for an input of one line without an end. */
  readonly lineEnd: LineEnd | null;
  /** `null` unless the format is `csv` or `tsv`. */
  readonly dialect: Dialect | null;
  /** In their order; without names (`txt`), none. */
  readonly columns: readonly PlanColumn[];
  /** Column or path of the text; `null` for `txt`, and if there is none. */
  readonly textField: string | null;
  /** Column or path of the id; `null` if rows have none. */
  readonly idField: string | null;
  /** Whole records in the sample, without the header. */
  readonly records: number;
  /** Records of the sample that have a text. */
  readonly usable: number;
  /** Letters of the texts of the sample by script, such as `Thai`. */
  readonly scripts: Readonly<Record<string, number>>;
  /** Whether the sample is the whole input. */
  readonly complete: boolean;
  readonly confidence: 'high' | 'medium' | 'low';
  /** What the user should know, as sentences without a full stop. */
  readonly warnings: readonly string[];
  /** Why the input cannot be read as it is; `null` if it can. */
  readonly problem: PlanProblem | null;
}

/** The plan of a file or of a table in a database. */
export type InputPlan = ReadingPlan<InputFormat | DatabaseFormat>;

/** What the user decided; absent means that the plan decides. */
export interface PlanChoices {
  readonly format?: InputFormat | undefined;
  readonly textField?: string | undefined;
  readonly idField?: string | undefined;
  readonly delimiter?: string | undefined;
  /** `null` for no quoting. */
  readonly quote?: string | null | undefined;
  readonly header?: boolean | undefined;
  readonly charset?: string | undefined;
}

/** The start of an input. */
export interface Sample {
  /** Name of the file, whose extension is a hint. */
  readonly name: string;
  readonly packing: Packing;
  /** The first bytes, unpacked. */
  readonly bytes: Uint8Array;
  /** Whether these are all bytes of the input. */
  readonly complete: boolean;
}
