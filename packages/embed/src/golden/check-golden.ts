/**
 * Compares the vectors of an embedder with recorded ones; a worker does so before its first batch, `doctor`
 * on demand.
 *
 * The check detects a wrong model file, a wrong token limit, and a CPU on which a kernel computes different
 * values. The exact engine must reproduce every byte.
 */

import { createHash } from 'node:crypto';
import type { Precision } from '@embedmill/contract';
import { Embedder } from '../embedder/embedder.ts';
import { type GoldenSentence, readExactGolden, readGoldenSet } from './golden-set.ts';

/** Result of `checkGolden`. */
export interface GoldenReport {
  /** Whether the embedder passed. */
  ok: boolean;
  /** Number of sentences compared. */
  sentences: number;
  /**
   * Minimum cosine between a computed and its recorded fp32 vector; 1 for a model without recorded vectors.
   */
  worstCosine: number;
  /** Minimum `worstCosine` to pass. */
  requiredCosine: number;
  /** Message for people: what was compared, and on failure which sentences failed and why. */
  message: string;
}

/**
 * Minimum cosine per precision. fp32 differs between CPUs only in the last bits, and the recorded vectors
 * have 5 decimals. int8 reaches 0.99 on these sentences with 8-bit weights and 0.98 with 7-bit weights (CPUs
 * without VNNI). Another model or another token limit is far below.
 */
const REQUIRED_COSINE: Record<Precision, number> = { fp32: 0.9999, int8: 0.975 };

/** The kernel of the exact engine that defines its result. */
const REFERENCE_KERNEL = 'scalar';

/** Maximum UTF-16 units of the texts that the reference computes, which takes about 0.2 ms per token. */
const REFERENCE_UNITS = 40;

/** Embeds every golden sentence twice: for the cosine, and to check that both vectors have equal bytes. */
export async function checkGolden(embedder: Embedder): Promise<GoldenReport> {
  const { goldenSet, precision, engine, name, dim } = embedder.model;
  const golden = await readGoldenSet();
  const requiredCosine = REQUIRED_COSINE[precision];
  let worst = { cosine: 1, text: '' };
  const problems: string[] = [];
  const hash = createHash('sha256');
  for (const { text, vector } of golden) {
    const [first, second] = [new Float32Array(dim), new Float32Array(dim)];
    const outcome = await embedder.embed(text, first, 0);
    await embedder.embed(text, second, 0);
    hash.update(new Uint8Array(first.buffer));
    if (outcome.verdict === 'failed') problems.push(`${quote(text)} failed: ${outcome.message}`);
    if (first.some((value, i) => value !== second[i]))
      problems.push(`${quote(text)} has two different vectors`);
    const cosine = goldenSet === 'none' ? 1 : cosineOf(first, vector);
    if (!(cosine >= worst.cosine)) worst = { cosine, text };
  }
  if (engine === 'exact') problems.push(...(await compareBytes(embedder, hash.digest('hex'))));
  if (!(worst.cosine >= requiredCosine)) {
    problems.push(
      `${quote(worst.text)} has cosine ${worst.cosine.toFixed(5)} to its recorded vector, expected ${requiredCosine}`,
    );
  }
  const compared = goldenSet === 'none' ? 'for equal vectors in two runs' : 'against their recorded vectors';
  return {
    ok: problems.length === 0,
    sentences: golden.length,
    worstCosine: worst.cosine,
    requiredCosine,
    message: problems.join('; ') || `${name} ${precision}: ${golden.length} sentences checked ${compared}`,
  };
}

/**
 * Compares the bytes of the exact engine with the recorded ones, or for another model with those of the scalar
 * kernel, which defines the result. Returns problems.
 * @param digest SHA-256 of the vectors of all golden sentences, in hexadecimal
 */
async function compareBytes(embedder: Embedder, digest: string): Promise<string[]> {
  const { model } = embedder;
  if (model.goldenSet !== 'none') {
    const { fingerprint, sha256 } = await readExactGolden();
    if (fingerprint === model.fingerprint && sha256 === digest) return [];
    return [`the kernel ${model.kernel} gives other bytes than recorded for ${fingerprint}`];
  }
  if (model.kernel === REFERENCE_KERNEL) return [];
  const reference = await Embedder.open({ ...model, kernel: REFERENCE_KERNEL });
  try {
    const problems: string[] = [];
    const [own, expected] = [new Float32Array(model.dim), new Float32Array(model.dim)];
    for (const { text } of await readGoldenSet()) {
      // The reference is slow.
      if (text.length > REFERENCE_UNITS) continue;
      await embedder.embed(text, own, 0);
      await reference.embed(text, expected, 0);
      if (own.every((value, i) => value === expected[i])) continue;
      problems.push(
        `the kernel ${model.kernel} gives other bytes than ${REFERENCE_KERNEL} for ${quote(text)}`,
      );
    }
    return problems;
  } finally {
    await reference.close();
  }
}

function cosineOf(a: Float32Array, b: GoldenSentence['vector']): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
