/** Encoders of finished vectors. */
import { arrow } from './arrow.ts';
import { jsonl } from './jsonl.ts';
import { npy } from './npy.ts';
import { parquet } from './parquet.ts';
import type { Encoding } from './types.ts';

/** The formats of output by name. */
export const encodings: Readonly<Record<Encoding['name'], Encoding>> = { npy, jsonl, parquet, arrow };

export { arrow } from './arrow.ts';
export { maxChunkBytes } from './chunks.ts';
export { dtypeBytes, floatsOfHalves, numbersOf } from './dtype.ts';
export { encodeIds, jsonl } from './jsonl.ts';
export { encodeScales, npy, npyHeader, npyHeaderBytes } from './npy.ts';
export { parquet } from './parquet.ts';
export { groupSlices } from './shape.ts';
export type { Dtype, EncodeOptions, Encoding, OutputShape, VectorRows } from './types.ts';
export type { VectorEncoding } from './vector-text.ts';
export { vectorJson } from './vector-text.ts';
