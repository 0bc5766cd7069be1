/** Temporary folders of tests. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
  // Retries, because a stopped process may still be writing its last file.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Names in a folder in order, without the hidden row indexes that outputs have. */
export function visibleNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !/^\..*\.[0-9a-f]{16}\.rows$/.test(name))
    .sort();
}
