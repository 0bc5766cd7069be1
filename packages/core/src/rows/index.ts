/** Readers of input rows. */
export { detectFormat } from './format.ts';
export { gunzip } from './gunzip.ts';
export { type LineRead, readFields, readLines, readRows } from './read.ts';
export {
  type BadRow,
  type ReadRowsOptions,
  type Row,
  type RowErrorCode,
  type RowFormat,
  type RowRead,
  rowDefaults,
} from './types.ts';
