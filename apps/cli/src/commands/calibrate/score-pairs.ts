/** Embeds pairs of texts and compares them; `embedmill calibrate` calls it. */

import { dotOf, rowOf, type ScoredPair } from '@embedmill/analysis';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { LabelledPair } from './read-pairs.ts';

/** Pairs with their cosines, and how many have none. */
export interface ScoredPairs {
  scored: ScoredPair[];
  /** Pairs with a text that has no vector, such as a blank one: nothing can be said of how alike they are. */
  unscored: number;
}

/** The cosine of each pair, in order. Texts that occur in several pairs are embedded once. */
export async function scorePairs(
  pairs: readonly LabelledPair[],
  embedder: TextEmbedder,
  onText: (done: number, total: number) => void,
): Promise<ScoredPairs> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const rowOfText = new Map(texts.map((text, row) => [text, row]));
  const { dim, vectors } = await embedder.embed(texts, (done) => onText(done, texts.length));
  const matrix = { rows: texts.length, dim, vectors };
  const hasVector = texts.map((_, row) => rowOf(matrix, row).some((value) => value !== 0));
  const scored: ScoredPair[] = [];
  for (const { a, b, same } of pairs) {
    const [rowA, rowB] = [rowOfText.get(a)!, rowOfText.get(b)!];
    if (hasVector[rowA] && hasVector[rowB]) {
      scored.push({ score: dotOf(matrix, rowA, vectors, rowB * dim), same });
    }
  }
  return { scored, unscored: pairs.length - scored.length };
}
