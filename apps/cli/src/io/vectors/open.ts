/** Opens a file of vectors by its name; `search`, `cluster`, `dedupe` and `load` call it. */

import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { isLancePath } from '../lance/folder.ts';
import { openArrow } from './arrow.ts';
import { openJsonl } from './jsonl.ts';
import { openLanceTable } from './lance.ts';
import { openNpy } from './npy.ts';
import type { VectorFile } from './types.ts';

/** @throws {UsageError} that says what was given and what can be read */
export async function openVectors(given: string): Promise<VectorFile> {
  if (!existsSync(given)) throw new UsageError(`there is no file of vectors ${quote(given, 200)}`);
  const path = resolve(given);
  if (statSync(given).isDirectory()) {
    if (isLancePath(given)) return openLanceTable(path, given);
    throw new UsageError(`${quote(given, 200)} is a folder; expected a file of vectors or a folder .lance`);
  }
  switch (extname(given).toLowerCase()) {
    case '.npy':
      return openNpy(path, given);
    case '.jsonl':
      return openJsonl(path, given);
    case '.parquet': {
      // The library that reads it is loaded by the first file.
      const { openParquet } = await import('./parquet.ts');
      return openParquet(path, given);
    }
    case '.arrow':
      return openArrow(path, given);
    default:
      throw new UsageError(
        `the name ${quote(given, 200)} must end in .npy, .jsonl, .parquet, .arrow or .lance, as what "embedmill embed" writes`,
      );
  }
}
