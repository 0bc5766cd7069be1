/** Tables: columns with types, and the values of their rows, between readers and writers. */

/** Unit of times and timestamps. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

/**
 * The type of a column, with the JavaScript values that represent it. Every value can be null.
 *
 * | kind | value |
 * |---|---|
 * | `boolean` | boolean |
 * | `integer` | number up to 32 bits, bigint of 64 |
 * | `float` | number |
 * | `decimal` | bigint: the value times 10^`scale` |
 * | `string` | string |
 * | `binary` | Uint8Array |
 * | `date` | number: days since 1970-01-01 |
 * | `time`, `timestamp` | bigint: units since midnight or 1970-01-01T00:00 |
 * | `list` | array |
 * | `struct` | object |
 * | `json` | plain JSON values, bigints for integers beyond 2^53; written as JSON text |
 * | `null` | null: no value seen yet; written as `string` |
 */
export type DataType =
  | { readonly kind: 'boolean' | 'string' | 'binary' | 'date' | 'json' | 'null' }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time'; readonly unit: TimeUnit }
  /** `utc`: a point in time; otherwise a local date and time. */
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly utc: boolean }
  | { readonly kind: 'list'; readonly item: DataType }
  | { readonly kind: 'struct'; readonly fields: readonly Column[] };

/** A column of a table or a field of a struct. */
export interface Column {
  readonly name: string;
  readonly type: DataType;
}

/** Values of some rows: one array per column. */
export type ColumnValues = readonly (readonly unknown[])[];

/** Some rows of a table: arrays of equal length, one per column that is read. */
export interface TableSlice {
  /** Number of rows; at least 1. */
  readonly rows: number;
  readonly values: ColumnValues;
  /**
   * The types of these values, if they are not those of the table: SQLite has a type per value. Default: the
   * types of the table.
   */
  readonly types?: readonly DataType[] | undefined;
}

/** Random access to the bytes of a file. */
export interface RandomBytes {
  readonly byteLength: number;
  /** Exactly the bytes from `start` to `end` (exclusive), which are inside the file. */
  read(start: number, end: number): Promise<Buffer>;
}

/** An opened table. */
export interface Table {
  readonly columns: readonly Column[];
  /** Total rows; `null` if the file does not say. */
  readonly rows: number | null;
  /** The rows in order; can be called repeatedly unless the source is a stream. */
  read(options?: TableReadOptions): AsyncIterable<TableSlice>;
}

/** Options of reading a table. */
export interface TableReadOptions {
  /** Names of the columns to read, in the order of the result. Default: all. */
  columns?: readonly string[] | undefined;
  /** Receives the fraction of the file read so far, from 0 to 1. */
  onFraction?: ((fraction: number) => void) | undefined;
}
