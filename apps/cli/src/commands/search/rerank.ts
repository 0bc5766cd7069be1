/**
 * Orders the candidates of a first pass by the scores of a better model.
 *
 * Decision: docs/decisions/0190-a-second-model-on-candidates.md.
 */

import { dotOf } from '@embedmill/analysis';
import type { Hit } from '@embedmill/core/formats';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';

/** The model that decides, and how many rows the first pass leaves to it. */
export interface Reranker {
  embedder: TextEmbedder;
  candidates: number;
}

/** A candidate with the score that decides. */
export interface RankedHit extends Hit {
  /** Score of the first pass. */
  firstScore: number;
}

/**
 * Embeds question and candidates with the better model and orders the candidates by its cosines; ties go to the better
 * one of the first pass. Candidates without a text, or whose text has no vector, are left out.
 * @param textOf returns the text of a candidate; `null` if unknown
 * @throws {UsageError} if no candidate has a text
 */
export async function rankAgain(
  candidates: readonly Hit[],
  question: string,
  textOf: (hit: Hit) => string | null,
  embedder: TextEmbedder,
): Promise<RankedHit[]> {
  const texts = [...new Set(candidates.map(textOf).filter((text) => text !== null))];
  if (texts.length === 0) {
    throw new UsageError(
      `none of the ${candidates.length} candidates has a text; --rerank requires the texts of the vectors (--texts, --text)`,
    );
  }
  const { vectors: query } = await embedder.embed([question]);
  const { dim, vectors } = await embedder.embed(texts, undefined, 'document');
  const matrix = { rows: texts.length, dim, vectors };
  const rowOfText = new Map(texts.map((text, row) => [text, row]));
  const isEmbedded = (row: number) =>
    vectors.subarray(row * dim, (row + 1) * dim).some((value) => value !== 0);
  return candidates
    .flatMap((hit): RankedHit[] => {
      const row = rowOfText.get(textOf(hit) ?? '');
      if (row === undefined || !isEmbedded(row)) return [];
      return [{ ...hit, firstScore: hit.score, score: dotOf(matrix, row, query, 0) }];
    })
    .sort((a, b) => b.score - a.score);
}
