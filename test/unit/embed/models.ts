/** The models that the engine's tests share: prepared once, kept between test runs like a worker keeps them. */

import { fileURLToPath } from 'node:url';
import type { Precision } from '@embedmill/contract';
import { Embedder, prepareModel } from '@embedmill/embed';
import { onTestFinished } from 'vitest';

/** In .gitignore; a test that needs its own cache makes a temporary folder. */
export const cacheDir = fileURLToPath(new URL('../../../.embedmill/test-models', import.meta.url));

/** The built-in model, closed after the test. */
export async function openBuiltIn(precision: Precision): Promise<Embedder> {
  const embedder = await Embedder.open(await prepareModel({ precision, cacheDir }));
  onTestFinished(() => embedder.close());
  return embedder;
}

/** One vector. */
export async function vectorOf(embedder: Embedder, text: string): Promise<Float32Array> {
  const vector = new Float32Array(embedder.model.dim);
  await embedder.embed(text, vector, 0);
  return vector;
}

/** Cosine of two vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** The bytes of a vector, so that `toEqual` compares bits and not numbers. */
export function bytesOf(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex');
}
