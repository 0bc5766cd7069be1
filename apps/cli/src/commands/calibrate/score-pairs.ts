/** Embeds pairs of texts and computes their similarity. */

import { dotOf, rowOf, type ScoredPair } from '@embedmill/analysis';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { LabelledTexts } from './read-pairs.ts';

/** Scored pairs, and the number of pairs without a score. */
export interface ScoredPairs {
  scored: ScoredPair[];
  /** Pairs with a text without a vector, such as a blank one. */
  unscored: number;
}

/** The cosine similarity of each pair, in order. Repeated texts are embedded once. */
export async function scorePairs(
  pairs: readonly LabelledTexts[],
  embedder: TextEmbedder,
  onText: (done: number, total: number) => void,
): Promise<ScoredPairs> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const rowOfText = new Map(texts.map((text, row) => [text, row]));
  const { dim, vectors } = await embedder.embed(texts, (done) => onText(done, texts.length));
  const matrix = { rows: texts.length, dim, vectors };
  const isEmbedded = texts.map((_, row) => rowOf(matrix, row).some((value) => value !== 0));
  const scored: ScoredPair[] = [];
  for (const { a, b, same } of pairs) {
    const [rowA, rowB] = [rowOfText.get(a)!, rowOfText.get(b)!];
    if (isEmbedded[rowA] && isEmbedded[rowB]) {
      scored.push({ score: dotOf(matrix, rowA, vectors, rowB * dim), same });
    }
  }
  return { scored, unscored: pairs.length - scored.length };
}
