/** Formats: readers of rows, writers of vectors, exact search over vectors. Does not load a Redis client. */

export { FLAT_FORMATS, type FlatFormatName } from './flat/index.ts';
export { inertCell } from './flat/inert-cell.ts';
export type { FlatCell, FlatColumn, FlatFormat, FlatRows } from './flat/types.ts';
export { formatOfName } from './plan/magic.ts';
export { planReading } from './plan/plan.ts';
export { readingOf } from './plan/reading.ts';
export { type PlannedInput, planInput, planSample } from './plan/sample.ts';
export type {
  ColumnType,
  DatabaseFormat,
  Dialect,
  InputFormat,
  InputPlan,
  LineEnd,
  PlanChoices,
  PlanColumn,
  PlanProblem,
  ReadingPlan,
  Sample,
} from './plan/types.ts';
export { columnNames } from './rows/csv.ts';
export { gunzip } from './rows/gunzip.ts';
export { withExactNumbers } from './rows/json-number.ts';
export { type LineRead, readRows, readTextLines } from './rows/read.ts';
export { charsetNamed } from './rows/transcode.ts';
export {
  type FieldsRow,
  type ReadRowsOptions,
  ROW_DEFAULTS,
  type RowFields,
  type RowFormat,
} from './rows/types.ts';
export { type Packing, unpack } from './rows/unpack.ts';
export { dotRow } from './search/dot.ts';
export { type Hit, Nearest } from './search/nearest.ts';
export { scanRows, searchRows } from './search/scan.ts';
export { arrow, recordBatchOf } from './sinks/arrow.ts';
export { MAX_CHUNK_BYTES } from './sinks/chunks.ts';
export { DTYPE_BYTES, numbersOf } from './sinks/dtype.ts';
export { FORMATS } from './sinks/formats.ts';
export { encodeIds, jsonl } from './sinks/jsonl.ts';
export { vectorMetadata } from './sinks/metadata.ts';
export { encodeScales, NPY_HEADER_BYTES, npy, npyHeader } from './sinks/npy.ts';
export { parquet } from './sinks/parquet.ts';
export { cutSlice, groupSlices } from './sinks/shape.ts';
export type { EncodeOptions, Format, OutputRows, OutputShape } from './sinks/types.ts';
export { vectorJson } from './sinks/vector-text.ts';
export { copyToFile, type FileBytes, openFileBytes } from './tables/file.ts';
export { isTableFile, isTableFormat, openArrowBatches, openTable, type TableFormat } from './tables/open.ts';
export { planDatabaseTable, planTableReading } from './tables/plan.ts';
export { findColumn, readTableRows } from './tables/rows.ts';
export type {
  Column,
  ColumnValues,
  DataType,
  RandomBytes,
  Table,
  TableReadOptions,
  TableSlice,
} from './tables/types.ts';
export { cellOf, convertValue, fromJson, inferType, mergeColumns } from './tables/values.ts';
