/**
 * Makes a static model from another model, as model2vec does: each token of the vocabulary is embedded alone, the
 * vectors are centred and reduced to their principal components, and frequent tokens get small weights.
 *
 * Equal vectors of the model give equal bytes on every machine: the rest is float64 in a fixed order.
 *
 * Decision: docs/decisions/0172.
 */

import { readFile } from 'node:fs/promises';
import type { Embedder } from '../embedder/embedder.ts';
import { EmbedError } from '../errors.ts';
import { principalComponents } from './principal-components.ts';

/** Revision of `distill`: the same model and revision give the same table. */
export const DISTILL_REVISION = 1;

/**
 * `a` in the weight a / (a + p) of a token of frequency p: smooth inverse frequency (Arora et al. 2017, "A simple but
 * tough-to-beat baseline for sentence embeddings"). Decision 0172 has the measurement.
 */
const SIF = 1e-4;

/** Maximum bytes of the token vectors, which are in memory until the table is made. */
const MAX_BYTES = 1 << 30;

/** Tokens per call of the embedder: progress is reported and the signal checked in between. */
const SLICE_TOKENS = 512;

/** Options of `distill`. */
export interface DistillOptions {
  /** Floats per vector of the static model; at most those of the model. */
  dim: number;
  /** Receives the number of embedded tokens and of all tokens after every run of the model. */
  onProgress?: ((done: number, all: number) => void | Promise<void>) | undefined;
}

/** The table of a static model. */
export interface Distilled {
  /** One row of `dim` floats per token id; zeros for special and unused tokens. */
  rows: Float32Array;
  dim: number;
}

/**
 * Embeds the vocabulary of a model and makes a table from it.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` if the vocabulary is too large, or smaller than `dim`; and whatever
 * `onProgress` throws
 */
export async function distill(embedder: Embedder, { dim, onProgress }: DistillOptions): Promise<Distilled> {
  const { model } = embedder;
  const vocabulary = readVocabulary(await readFile(model.tokenizerPath, 'utf8'));
  const bytes = vocabulary.length * model.dim * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > MAX_BYTES) {
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `the vectors of ${vocabulary.length} tokens of ${model.name} take ${bytes} bytes, expected at most ${MAX_BYTES}`,
    );
  }
  const used = [...vocabulary.keys()].filter((id) => vocabulary[id] !== undefined);
  if (dim > model.dim || dim > used.length) {
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `${dim} dimensions of ${used.length} tokens with vectors of ${model.dim}, expected at most ${Math.min(model.dim, used.length)}`,
    );
  }
  const vectors = new Float32Array(vocabulary.length * model.dim);
  await embedTokens(embedder, used, vectors, onProgress);

  const { mean, directions } = principalComponents(vectors, model.dim, used, dim);
  const weights = tokenWeights(vocabulary);
  const rows = new Float32Array(vocabulary.length * dim);
  const centred = new Float64Array(model.dim);
  for (const id of used) {
    for (let i = 0; i < model.dim; i++) centred[i] = vectors[id * model.dim + i]! - mean[i]!;
    for (let column = 0; column < dim; column++)
      rows[id * dim + column] = weights[id]! * dot(centred, directions[column]!);
  }
  return { rows, dim };
}

/** Writes the vector of each token at its id. */
async function embedTokens(
  embedder: Embedder,
  ids: readonly number[],
  target: Float32Array,
  onProgress: DistillOptions['onProgress'],
): Promise<void> {
  const { dim, name } = embedder.model;
  const slice = new Float32Array(SLICE_TOKENS * dim);
  let done = 0;
  while (done < ids.length) {
    const some = ids.slice(done, done + SLICE_TOKENS);
    const outcomes = await embedder.embedPack(
      some.map((id) => [id]),
      slice,
      0,
    );
    for (const [i, { verdict, message }] of outcomes.entries()) {
      if (verdict !== 'ok') {
        const why = message ?? verdict;
        throw new EmbedError(
          'MODEL_UNSUPPORTED',
          `${name} cannot embed the token id ${some[i]} alone: ${why}`,
        );
      }
      target.set(slice.subarray(i * dim, (i + 1) * dim), some[i]! * dim);
    }
    done += outcomes.length;
    await onProgress?.(done, ids.length);
  }
}

/** Returns the tokens by id; undefined for special and unused ones, whose rows are zeros. */
export function readVocabulary(tokenizerFile: string): (string | undefined)[] {
  const { model, added_tokens } = JSON.parse(tokenizerFile) as {
    model: { vocab: Record<string, number> | [token: string, score: number][] };
    added_tokens: { id: number; content: string; special?: boolean }[];
  };
  const tokens: (string | undefined)[] = [];
  const entries = Array.isArray(model.vocab)
    ? model.vocab.map(([token], id): [string, number] => [token, id])
    : Object.entries(model.vocab);
  for (const [token, id] of entries) tokens[id] = /^\[unused\d+\]$/.test(token) ? undefined : token;
  for (const { id, content, special } of added_tokens) tokens[id] = special ? undefined : content;
  return Array.from(tokens);
}

/**
 * Weight of each token. The vocabularies of published models are sorted by frequency, so Zipf's law gives the
 * frequency of a token: proportional to 1 / rank. Single characters come first in a vocabulary for another reason: of
 * these, those of ASCII (punctuation, digits) are as frequent as the first word, and the others count as rare.
 */
export function tokenWeights(vocabulary: readonly (string | undefined)[]): Float64Array {
  const frequencies = new Float64Array(vocabulary.length);
  let rank = 0;
  let total = 0;
  for (const [id, token] of vocabulary.entries()) {
    if (token === undefined) continue;
    const isCharacter = token.length === 1;
    if (!isCharacter) rank += 1;
    const isRare = isCharacter && token > '\x7f';
    frequencies[id] = isRare ? 0 : 1 / (isCharacter ? 1 : rank);
    total += frequencies[id]!;
  }
  return frequencies.map((frequency) => SIF / (SIF + frequency / total));
}

/** Sums four products at a time, so that they do not wait for each other. */
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  let i = 0;
  for (; i + 4 <= a.length; i += 4) {
    sum += a[i]! * b[i]! + a[i + 1]! * b[i + 1]! + (a[i + 2]! * b[i + 2]! + a[i + 3]! * b[i + 3]!);
  }
  for (; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
