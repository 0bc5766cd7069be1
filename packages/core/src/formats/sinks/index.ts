/** Encoders of vectors into result files. */

import { arrow } from './arrow.ts';
import { jsonl } from './jsonl.ts';
import { npy } from './npy.ts';
import { parquet } from './parquet.ts';
import type { Format } from './types.ts';

/** Output formats by name. */
export const FORMATS: Readonly<Record<Format['name'], Format>> = { npy, jsonl, parquet, arrow };

export { arrow } from './arrow.ts';
export { MAX_CHUNK_BYTES } from './chunks.ts';
export { DTYPE_BYTES, numbersOf } from './dtype.ts';
export { encodeIds, jsonl } from './jsonl.ts';
export { encodeScales, NPY_HEADER_BYTES, npy, npyHeader } from './npy.ts';
export { parquet } from './parquet.ts';
export { groupSlices } from './shape.ts';
export type { EncodeOptions, Format, OutputShape } from './types.ts';
export { vectorJson } from './vector-text.ts';
