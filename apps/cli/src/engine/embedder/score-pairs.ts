/** Embeds pairs of texts and computes their similarity. */

import { dotOf, rowOf } from '@embedmill/analysis';
import type { TextEmbedder } from './types.ts';

/** Two texts. */
export interface TextPair {
  a: string;
  b: string;
}

/**
 * The cosine similarity of each pair, in order; `null` for a pair with a text without a vector, such as a blank one.
 * Repeated texts are embedded once.
 */
export async function scorePairs(
  pairs: readonly TextPair[],
  embedder: TextEmbedder,
  onText: (done: number, total: number) => void,
): Promise<(number | null)[]> {
  const texts = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const rowOfText = new Map(texts.map((text, row) => [text, row]));
  const { dim, vectors } = await embedder.embed(texts, (done) => onText(done, texts.length));
  const matrix = { rows: texts.length, dim, vectors };
  const isEmbedded = texts.map((_, row) => rowOf(matrix, row).some((value) => value !== 0));
  return pairs.map(({ a, b }) => {
    const [rowA, rowB] = [rowOfText.get(a)!, rowOfText.get(b)!];
    return isEmbedded[rowA] && isEmbedded[rowB] ? dotOf(matrix, rowA, vectors, rowB * dim) : null;
  });
}
