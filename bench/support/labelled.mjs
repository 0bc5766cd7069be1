/** Labelled texts and their vectors, for benchmarks of topics and maps. */

import { pickRows, randomFrom } from '@embedmill/analysis';
import { UNTREATED } from '@embedmill/contract';
import { readSampleReviews } from 'embedmill/sample';
import { readLabelled } from '../../apps/cli/dist/commands/eval/labelled.js';
import { openEmbedder } from '../eval/vectors.mjs';

const SLICE_TEXTS = 252;
/** Length of the noise that makes more rows from those of a file. */
const NOISE = 0.3;

/**
 * @param {string | undefined} path a file with `text` and `label`, optionally with .gz; `undefined`: the sample with the
 *   products as labels
 * @returns {Promise<{ texts: string[], labels: string[], classes: number }>}
 */
export async function readLabelledTexts(path) {
  if (path !== undefined) return await readLabelled(path);
  const reviews = readSampleReviews();
  const labels = reviews.map(({ id }) => id.replace(/-\d+$/, ''));
  return { texts: reviews.map(({ text }) => text), labels, classes: new Set(labels).size };
}

/**
 * Embeds texts with the built-in model.
 * @param {readonly string[]} texts
 * @returns {Promise<import('@embedmill/analysis').Matrix>}
 */
export async function embedTexts(texts) {
  const embedder = await openEmbedder();
  const { dim } = embedder.model;
  const vectors = new Float32Array(texts.length * dim);
  for (let done = 0; done < texts.length; ) {
    const slice = texts.slice(done, done + SLICE_TEXTS);
    done += (await embedder.embedPack(slice, vectors, done * dim, { treatment: UNTREATED })).length;
  }
  await embedder.close();
  return { rows: texts.length, dim, vectors };
}

/**
 * The first rows of a matrix; more than it has are noisy copies of length 1.
 * @param {import('@embedmill/analysis').Matrix} matrix
 * @param {number} wanted rows
 */
export function withRows(matrix, wanted) {
  const random = randomFrom(1);
  const made = pickRows(
    matrix,
    Int32Array.from({ length: wanted }, (_, row) => row % matrix.rows),
  );
  const size = NOISE * Math.sqrt(12 / made.dim);
  for (let row = matrix.rows; row < wanted; row++) {
    const vector = made.vectors.subarray(row * made.dim, (row + 1) * made.dim);
    for (let i = 0; i < vector.length; i++) vector[i] += size * (random.next() - 0.5);
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < vector.length; i++) vector[i] /= length;
  }
  return made;
}

/**
 * Runs a computation and measures the CPU time of this process.
 * @template Result
 * @param {() => Result} compute
 * @returns {{ result: Result, ms: number }}
 */
export function timed(compute) {
  const start = process.cpuUsage();
  const result = compute();
  const { user, system } = process.cpuUsage(start);
  return { result, ms: (user + system) / 1000 };
}

/** @param {number} ms */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
