/** Reads the golden sentences with their recorded vectors, and hashes the vectors of an embedder. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Embedder } from '../embedder/embedder.ts';

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

/** Path of the recorded digest of the exact engine, which `scripts/record-golden.mjs` writes. */
export const EXACT_GOLDEN_PATH = new URL('../../data/golden-exact.json', import.meta.url);

/** The vectors that the exact engine computes for the golden sentences with the built-in model. */
export interface ExactGolden {
  /** Fingerprint of the model. */
  fingerprint: string;
  /** SHA-256 of all vectors in order, in hexadecimal. */
  sha256: string;
}

/** Returns the recorded digest of the exact engine. */
export async function readExactGolden(): Promise<ExactGolden> {
  return JSON.parse(await readFile(EXACT_GOLDEN_PATH, 'utf8'));
}

/** Returns the SHA-256 of the vectors of all golden sentences, in hexadecimal. */
export async function goldenDigest(embedder: Embedder): Promise<string> {
  const hash = createHash('sha256');
  const vector = new Float32Array(embedder.model.dim);
  for (const { text } of await readGoldenSet()) {
    await embedder.embed(text, vector, 0);
    hash.update(new Uint8Array(vector.buffer));
  }
  return hash.digest('hex');
}
