/** Models that the tests of the engine share; prepared once and kept between test runs. */

import { fileURLToPath } from 'node:url';
import type { Precision } from '@embedmill/contract';
import { Embedder, prepareModel } from '@embedmill/embed';
import { onTestFinished } from 'vitest';

/** Shared cache folder, in .gitignore; a test that needs its own cache creates a temporary folder. */
export const cacheDir = fileURLToPath(new URL('../../../.embedmill/test-models', import.meta.url));

/** Opens the built-in model and closes it after the test. */
export async function openBuiltIn(precision: Precision): Promise<Embedder> {
  const embedder = await Embedder.open(await prepareModel({ precision, cacheDir }));
  onTestFinished(() => embedder.close());
  return embedder;
}

/** Returns the vector of one text. */
export async function vectorOf(embedder: Embedder, text: string): Promise<Float32Array> {
  const vector = new Float32Array(embedder.model.dim);
  await embedder.embed(text, vector, 0);
  return vector;
}

/** Returns the cosine of two vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Returns the bytes of a vector, so that `toEqual` compares bits and not numbers. */
export function bytesOf(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex');
}
