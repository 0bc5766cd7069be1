/** Embeds pairs of texts and compares them; `embedmill calibrate` calls it. */

import { dotOf, type ScoredPair } from '@embedmill/analysis';
import type { TextEmbedder } from '../embedder/types.ts';
import type { LabelledPair } from './read-pairs.ts';

/** The cosine of each pair, in order. Texts that occur in several pairs are embedded once. */
export async function scorePairs(
  pairs: readonly LabelledPair[],
  embedder: TextEmbedder,
  onText: (done: number, total: number) => void,
): Promise<ScoredPair[]> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const rowOfText = new Map(texts.map((text, row) => [text, row]));
  const { dim, vectors } = await embedder.embed(texts, (done) => onText(done, texts.length));
  const matrix = { rows: texts.length, dim, vectors };
  return pairs.map(({ a, b, same }) => ({
    score: dotOf(matrix, rowOfText.get(a)!, vectors, rowOfText.get(b)! * dim),
    same,
  }));
}
