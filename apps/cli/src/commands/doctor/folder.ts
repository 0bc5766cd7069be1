/** Checks that a folder is writable, and its free space. */

import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '@embedmill/contract';
import { formatBytes } from '../../shell/terminal/numbers.ts';
import type { Finding } from './types.ts';

/** Free space below this may not hold a run of a million rows (1.5 GB). */
const MIN_FREE_BYTES = 2_000_000_000;

/** Creates the folder if it is missing, and writes and removes a file. */
export async function checkFolder(subject: string, folder: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const probe = join(folder, `.probe-${process.pid}`);
    await writeFile(probe, 'probe');
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const message = `${folder}, ${formatBytes(free)} free`;
    if (free >= MIN_FREE_BYTES) return { health: 'good', subject, message };
    return { health: 'notice', subject, message: `${message}; a million vectors take 1.5 GB` };
  } catch (error) {
    return { health: 'broken', subject, message: `${folder} is not writable: ${asError(error).message}` };
  }
}
