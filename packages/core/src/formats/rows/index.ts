/** Readers of input rows. */
export { detectFormat } from './format.ts';
export { gunzip } from './gunzip.ts';
export { type LineRead, readFields, readLines, readRows } from './read.ts';
export {
  type ReadRowsOptions,
  type RowFormat,
  rowDefaults,
} from './types.ts';
