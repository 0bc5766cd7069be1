/** `embedmill runs export` and `embedmill runs import`: one finished run as one file. */

import { createReadStream } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EmbedmillClient } from '@embedmill/client';
import { CorruptError, quote, type RunInfo } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';

/**
 * Downloads a run into a file, which appears complete, by rename; after a failure nothing is left.
 * @param path default: `<id>.embedmill` in the current folder
 * @returns path and size of the file
 * @throws {UsageError} if the file exists and `force` is false
 */
export async function exportToFile(
  client: EmbedmillClient,
  id: string,
  { path = `${id}.embedmill`, force = false }: { path?: string | undefined; force?: boolean },
): Promise<{ path: string; bytes: number }> {
  if (!force && (await exists(path)))
    throw new UsageError(`The file ${quote(path, 200)} exists; give another one, or --force to replace it.`);
  const { bytes, chunks } = await client.openExport(id);
  const draftPath = join(dirname(path), `.${basename(path)}.draft`);
  try {
    const draft = await open(draftPath, 'w', 0o600);
    await pipeline(chunks, draft.createWriteStream({ flush: true }));
    const written = await sizeOf(draftPath);
    // A stream that is cut throws; a proxy may end it as if it were complete.
    if (bytes > 0 && written !== bytes)
      throw new CorruptError(
        'corrupt-export',
        `the export ended after ${written} of ${bytes} bytes; try again`,
      );
    await rename(draftPath, path);
    return { path, bytes: written };
  } catch (error) {
    await rm(draftPath, { force: true });
    throw error;
  }
}

/** Uploads an exported run. @throws {UsageError} if the file does not exist */
export async function importFromFile(
  client: EmbedmillClient,
  path: string,
  { asNew = false }: { asNew?: boolean },
): Promise<RunInfo> {
  if (!(await exists(path))) throw new UsageError(`There is no file ${quote(path, 200)}.`);
  const file = createReadStream(path);
  try {
    return await client.importRun(file, { asNew });
  } finally {
    file.destroy();
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
