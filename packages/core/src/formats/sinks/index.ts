/** Encoders of finished vectors. */
import { arrow } from './arrow.ts';
import { jsonl } from './jsonl.ts';
import { npy } from './npy.ts';
import { parquet } from './parquet.ts';
import type { Format } from './types.ts';

/** The formats of output by name. */
export const FORMATS: Readonly<Record<Format['name'], Format>> = { npy, jsonl, parquet, arrow };

export { arrow } from './arrow.ts';
export { maxChunkBytes } from './chunks.ts';
export { dtypeBytes, floatsOfHalves, numbersOf } from './dtype.ts';
export { encodeIds, jsonl } from './jsonl.ts';
export { encodeScales, npy, npyHeader, npyHeaderBytes } from './npy.ts';
export { parquet } from './parquet.ts';
export { groupSlices } from './shape.ts';
export type { EncodeOptions, Format, OutputShape } from './types.ts';
export { vectorJson } from './vector-text.ts';
