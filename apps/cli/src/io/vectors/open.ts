/** Opens a vector file by its extension, or several as one. */

import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { isLancePath } from '../lance-folder.ts';
import { openArrow } from './arrow.ts';
import { openJsonl } from './jsonl.ts';
import { openLanceTable } from './lance.ts';
import { openNpy } from './npy.ts';
import { concatFiles, locateVectors } from './shards.ts';
import type { VectorFile } from './types.ts';

/**
 * Opens a file, or the files of a folder, a glob or a set of shards as one.
 * @throws {UsageError} if it does not exist or is of an unsupported type
 */
export async function openVectors(given: string): Promise<VectorFile> {
  const paths = isLancePath(given) ? null : locateVectors(given);
  if (paths !== null) {
    const files: VectorFile[] = [];
    for (const path of paths) files.push(await openVectors(path));
    return concatFiles(given, files);
  }
  if (!existsSync(given)) throw new UsageError(`there is no vector file ${quote(given, 200)}`);
  const path = resolve(given);
  if (statSync(given).isDirectory()) return openLanceTable(path, given);
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
