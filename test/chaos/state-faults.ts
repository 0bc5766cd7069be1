/** Faults of what a run consists of: its keys in Redis and its files in the data folder. */

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** Keys of prefix `chaos` that are deleted together: lists of BullMQ, its jobs, interactive calls, and each kind of key of a run. */
const LOST_KEYS: readonly RegExp[] = [
  /^\{chaos\}:bulk:(?:wait|active|prioritized|delayed|paused)$/,
  /^\{chaos\}:bulk:r[^:]*$/,
  /^\{chaos\}:ready:/,
  /^\{chaos\}:calls:/,
  /^\{chaos\}:in:/,
  /^\{chaos\}:out:/,
  /^\{chaos\}:done:/,
];

/** Maximum number of keys that are deleted at once. */
const MAX_LOST_KEYS = 20;

/** Deletes up to 20 keys of one kind. @param choice number from 0 to below 1 that selects the kind */
export async function loseKeys(client: Redis, choice: number): Promise<void> {
  const kind = LOST_KEYS[Math.floor(choice * LOST_KEYS.length)]!;
  const keys = (await client.keys('{chaos}:*')).filter((key) => kind.test(key)).slice(0, MAX_LOST_KEYS);
  if (keys.length > 0) await client.del(keys);
}

/** Copies the content of a folder in use. Files that are deleted during the copy are left out. */
export function copyContent(from: string, to: string): void {
  for (;;) {
    rmSync(to, { recursive: true, force: true });
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Replaces the content of a folder that no process uses by that of a copy. */
export function restoreContent(copy: string, folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  cpSync(copy, folder, { recursive: true });
}

/**
 * Makes a folder read-only for everything that is opened from now on; returns the function that makes it
 * writable again. Root mounts the folder read-only over itself, which needs no closed files; other users remove
 * the write permission of all folders in it.
 */
export function makeReadOnly(folder: string): () => void {
  if (process.getuid?.() !== 0) {
    setModes(folder, 0o555);
    return () => setModes(folder, 0o755);
  }
  execFileSync('mount', ['--bind', folder, folder], { stdio: 'pipe' });
  execFileSync('mount', ['-o', 'remount,bind,ro', folder], { stdio: 'pipe' });
  return () => void execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
}

function setModes(folder: string, mode: number): void {
  chmodSync(folder, mode);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) setModes(join(folder, entry.name), mode);
  }
}
