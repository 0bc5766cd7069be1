/** Columns of a run: the values that its rows came with, and what the run knows of each row. */

/** Maximum columns that a run keeps; further ones are left out. */
export const MAX_COLUMNS = 64;

/** Maximum length of a column name, in UTF-16 units; columns with longer names are left out. */
export const MAX_COLUMN_NAME_CHARS = 200;

/** Maximum bytes of UTF-8 of one value; longer values are cut and end with `…`. */
export const MAX_COLUMN_VALUE_BYTES = 1024;

/** One value of a row; a missing value is absent. */
export type KeptValue = string | number | boolean;

/** The kept values of one row, by column name. */
export type RowColumns = Readonly<Record<string, KeptValue>>;

/** The value of a column in one row; `undefined` if it is missing, also for names that every object has (`constructor`). */
export function columnValue(columns: RowColumns, name: string): KeptValue | undefined {
  return Object.hasOwn(columns, name) ? columns[name] : undefined;
}

/** What the values of a column are; `category`: few different ones, relative to the number of rows. */
export type ColumnKind = 'category' | 'number' | 'date' | 'text';

/** Where a column comes from: the rows as they were sent, or the run itself (`length`, `verdict`). */
export type ColumnSource = 'input' | 'run';

/** A column of a run. */
export interface RunColumn {
  name: string;
  kind: ColumnKind;
  source: ColumnSource;
  /** Different values, counted up to 10,000. */
  distinct: number;
  /** Rows without a value of this kind. */
  missing: number;
}

/** The values of a column in row order; missing ones are -1 in `codes`, otherwise null. */
export type RunColumnValues =
  | { kind: 'category'; values: readonly string[]; codes: readonly number[] }
  | { kind: 'number'; numbers: readonly (number | null)[] }
  /** Milliseconds since 1970. */
  | { kind: 'date'; times: readonly (number | null)[] };

/** Which values of a column match: one of `in`, and between `from` and `to`, inclusive. */
export interface ColumnCondition {
  in?: readonly string[] | undefined;
  /** A number, or a date as text or in milliseconds since 1970. */
  from?: number | string | undefined;
  to?: number | string | undefined;
}

/** Names of the columns with source `run`. */
export const RUN_COLUMNS = ['length', 'verdict'] as const;
