/** Reads a tokenizer for all threads of a process, and keeps it in the cache folder for other processes. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SharedTokenizer } from '../text/shared-tokenizer.ts';
import { makeSharedTokenizer } from '../text/tokenizer.ts';
import {
  decodeSharedTokenizer,
  encodeSharedTokenizer,
  TOKENIZER_FILE_REVISION,
} from '../text/tokenizer-file.ts';
import { readEntry, writeEntry } from './small-cache.ts';

/**
 * Reads a tokenizer.json for all threads of the process.
 * @param cacheDir folder in which the result is kept. Default: it is made of the file
 * @returns undefined for a tokenizer that each thread has to read; `TextTokenizer.read` then says what is wrong, too
 */
export async function shareTokenizer(path: string, cacheDir?: string): Promise<SharedTokenizer | undefined> {
  try {
    const bytes = await readFile(path);
    if (cacheDir === undefined) return await makeSharedTokenizer(bytes);
    const name = `tokenizer-${cacheKey(bytes)}`;
    const known = await readEntry(cacheDir, name);
    if (known !== undefined) return decodeSharedTokenizer(known);
    const shared = await makeSharedTokenizer(bytes);
    if (shared !== undefined) await writeEntry(cacheDir, name, encodeSharedTokenizer(shared));
    return shared;
  } catch {
    return undefined;
  }
}

/** Everything that the result depends on: the classes of characters are those of Node.js. */
function cacheKey(bytes: Uint8Array): string {
  const { unicode } = process.versions;
  const hash = createHash('sha256').update(`${TOKENIZER_FILE_REVISION} ${unicode} `).update(bytes);
  return hash.digest('hex').slice(0, 32);
}
