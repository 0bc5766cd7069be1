/** Reads the golden sentences with their recorded fp32 vectors, for `checkGolden`. */

import { readFile } from 'node:fs/promises';

/** A sentence and its recorded fp32 vector. */
export interface GoldenSentence {
  text: string;
  /** Floats of the vector, rounded to 5 decimals. */
  vector: number[];
}

/** Path of the set, which `scripts/record-golden.mjs` writes. */
export const GOLDEN_SET_PATH = new URL('../../data/golden-vectors.json', import.meta.url);

/** Returns the golden sentences of the built-in model. */
export async function readGoldenSet(): Promise<GoldenSentence[]> {
  return JSON.parse(await readFile(GOLDEN_SET_PATH, 'utf8'));
}
