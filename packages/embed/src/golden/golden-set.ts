/** Reads the project's golden sentences with their recorded fp32 vectors, for `checkGolden` and the script that records them. */
import { readFile } from 'node:fs/promises';

/** One sentence and the vector that fp32 gave when it was recorded. */
export interface GoldenSentence {
  text: string;
  /** Rounded to 5 decimals. */
  vector: number[];
}

/** Written by `scripts/record-golden.mjs`. */
export const GOLDEN_SET_PATH = new URL('../../data/golden-vectors.json', import.meta.url);

export async function readGoldenSet(): Promise<GoldenSentence[]> {
  return JSON.parse(await readFile(GOLDEN_SET_PATH, 'utf8'));
}
