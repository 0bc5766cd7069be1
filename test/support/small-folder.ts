/** A small disk of its own for a test, which can be filled or made read-only. */

import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './folder.ts';

/** A folder with room for `megabytes`; `null` when this user may not mount one. */
export function smallFolder(megabytes: number): string | null {
  const folder = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Mounts such a folder again; false while a file in it is open for writing. */
export function remount(folder: string, mode: 'ro' | 'rw'): boolean {
  try {
    execFileSync('mount', ['-o', `remount,${mode}`, folder], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** Writes until the disk is full. */
export function fill(path: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=4k'], { stdio: 'pipe' });
  } catch {
    // `dd` fails when the disk is full, as intended.
  }
}
