/** Readers of input rows. */
export { detectFormat } from './format.ts';
export { gunzip } from './gunzip.ts';
export { type LineRead, readFields, readRows, readTextLines } from './read.ts';
export {
  type ReadRowsOptions,
  ROW_DEFAULTS,
  type RowFormat,
} from './types.ts';
