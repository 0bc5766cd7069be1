/** Finds the known words that a model places nearest to terms that it does not know. */

import { dotOf } from '@embedmill/analysis';
import type { LocalEmbedder } from '../../engine/embedder/local.ts';
import type { TermCandidate } from './terms.ts';

/** Words per term. */
const NEIGHBOURS = 5;

/** Maximum share of unknown tokens in a text that stands for a term. */
const MAX_UNKNOWN_SHARE = 0.3;

/**
 * The nearest words of each term, nearest first. A term of known tokens is compared by its own vector, any other one by the
 * mean vector of texts with the term of which the model knows the most; without such texts it has no neighbours.
 * @param texts all texts, by index
 * @param words known words of the texts
 */
export async function neighboursOf(
  terms: readonly TermCandidate[],
  texts: readonly string[],
  words: readonly string[],
  embedder: LocalEmbedder,
): Promise<string[][]> {
  const sources = terms.map(({ term, unknown, examples }) =>
    unknown === 0 ? [term] : examples.map((index) => texts[index]!).filter(isMostlyKnown),
  );
  const { dim, vectors: known } = await embedder.embed(words);
  const { vectors } = await embedder.embed(sources.flat());
  const matrix = { rows: words.length, dim, vectors: known };
  let row = 0;
  return sources.map((own, n) => {
    const sum = new Float32Array(dim);
    for (const _ of own) {
      for (let i = 0; i < dim; i++) sum[i]! += vectors[row * dim + i]!;
      row += 1;
    }
    if (own.length === 0) return [];
    const term = terms[n]!.term.toLowerCase();
    return words
      .map((word, at) => ({ word, score: dotOf(matrix, at, sum, 0) }))
      .filter(({ word, score }) => score > 0 && !term.includes(word))
      .sort((a, b) => b.score - a.score)
      .slice(0, NEIGHBOURS)
      .map(({ word }) => word);
  });

  function isMostlyKnown(text: string): boolean {
    const { tokens, unknown } = embedder.countPieces(text);
    return unknown <= MAX_UNKNOWN_SHARE * tokens;
  }
}
