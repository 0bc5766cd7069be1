/** Readers of Parquet and Arrow that load in Node and in browsers; the codecs of the platform are passed in. */

export { openArrowTable } from './arrow.ts';
export { openParquetTable } from './parquet.ts';
export type { Column, RandomBytes, Table, TableCodecs } from './types.ts';
export { jsonText, toJson } from './values.ts';
