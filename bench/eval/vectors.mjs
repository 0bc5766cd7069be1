/** Vectors and cosines for the evaluations. */

import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';

/**
 * Opens the built-in model.
 * @param {'int8' | 'fp32'} precision
 */
export async function openEmbedder(precision = 'int8') {
  return Embedder.open(await prepareModel({ precision, cacheDir: readConfig(process.env).cacheDir }));
}

/**
 * @param {Embedder} embedder
 * @param {string[]} texts
 * @param {import('@embedmill/embed').EmbedTextOptions} options
 * @returns {Promise<Float32Array[]>} zeros for a text without a vector
 */
export async function embedAll(embedder, texts, options = {}) {
  const vectors = [];
  for (const text of texts) {
    const vector = new Float32Array(embedder.model.dim);
    await embedder.embed(text, vector, 0, options);
    vectors.push(vector);
  }
  return vectors;
}

/** Cosine of two vectors of length 1. */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
