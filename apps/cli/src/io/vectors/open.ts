/** Opens a vector file by its extension. */

import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { isLancePath } from '../lance-folder.ts';
import { openArrow } from './arrow.ts';
import { openJsonl } from './jsonl.ts';
import { openLanceTable } from './lance.ts';
import { openNpy } from './npy.ts';
import type { VectorFile } from './types.ts';

/** Opens the file. @throws {UsageError} if it does not exist or is of an unsupported type */
export async function openVectors(given: string): Promise<VectorFile> {
  if (!existsSync(given)) throw new UsageError(`there is no vector file ${quote(given, 200)}`);
  const path = resolve(given);
  if (statSync(given).isDirectory()) {
    if (isLancePath(given)) return openLanceTable(path, given);
    throw new UsageError(`${quote(given, 200)} is a folder; expected a vector file or a .lance folder`);
  }
  switch (extname(given).toLowerCase()) {
    case '.npy':
      return openNpy(path, given);
    case '.jsonl':
      return openJsonl(path, given);
    case '.parquet': {
      // The Parquet library is loaded on first use.
      const { openParquet } = await import('./parquet.ts');
      return openParquet(path, given);
    }
    case '.arrow':
      return openArrow(path, given);
    default:
      throw new UsageError(
        `the name ${quote(given, 200)} must end in .npy, .jsonl, .parquet, .arrow or .lance, as written by ` +
          '"embedmill embed"',
      );
  }
}
