/** The list of output formats; the CLI and the results route choose one by name. */

import { arrow } from './arrow.ts';
import { jsonl } from './jsonl.ts';
import { npy } from './npy.ts';
import { parquet } from './parquet.ts';
import type { Format } from './types.ts';

/** Output formats by name. */
export const FORMATS: Readonly<Record<Format['name'], Format>> = { npy, jsonl, parquet, arrow };
