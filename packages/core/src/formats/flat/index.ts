/** The formats of flat tables. */

import { csv } from './csv.ts';
import { flatParquet } from './parquet.ts';
import type { FlatFormat } from './types.ts';
import { xlsx } from './xlsx.ts';

/** Formats of flat tables by name. */
export const FLAT_FORMATS = { csv, parquet: flatParquet, xlsx } as const satisfies Record<string, FlatFormat>;

export type FlatFormatName = keyof typeof FLAT_FORMATS;
