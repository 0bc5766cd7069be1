/** States the JavaScript heap that a tokenizer needs, so that inference threads are given it. */

import { stat } from 'node:fs/promises';

/**
 * Heap per byte of tokenizer.json. Measured with the library: 250,000 pieces of Unigram (17 MB) open with 256 MB,
 * BPE with 256,000 pieces and 512,000 merges (11 MB) with 192 MB; doubled, because a thread may open two
 * precisions.
 */
const HEAP_PER_BYTE = 32;

/** Returns the heap for a tokenizer.json in MB, rounded up. */
export async function tokenizerHeapMb(path: string): Promise<number> {
  const { size } = await stat(path);
  return Math.ceil((size * HEAP_PER_BYTE) / 2 ** 20);
}
