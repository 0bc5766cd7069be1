/**
 * Decides with a better model which of the rows that look alike in a first pass are near-duplicates.
 *
 * Decision: docs/decisions/0190-a-second-model-on-candidates.md.
 */

import { dotOf, duplicateSteps, pickRows } from '@embedmill/analysis';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { TextLookup, VectorRow } from '../../io/texts/read-texts.ts';
import type { LoadedVectors } from '../../io/vectors/load.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { countRows, type ProgressDisplay, takeSteps } from '../../shell/progress/index.ts';
import { groupsOf, type Member } from './groups.ts';

/** Dependencies and options of {@link decideGroups}. */
export interface DecideOptions {
  embedder: TextEmbedder;
  /** Minimum cosine of near-duplicates with the better model. */
  threshold: number;
  findTexts: (rows: readonly VectorRow[]) => Promise<TextLookup>;
  display: ProgressDisplay;
  signal: AbortSignal;
}

/** The groups, and how many rows the better model compared. */
export interface DecidedGroups {
  groups: Member[][];
  candidates: number;
}

/**
 * Embeds the rows of groups of the first pass with the better model and compares all of them with each other.
 * Rows without a text, or whose text has no vector, belong to no group.
 * @param firsts the first row of each row's group in the first pass
 * @throws {UsageError} if there are candidates and none has a text
 */
export async function decideGroups(
  { matrix, ids, numbers }: LoadedVectors,
  firsts: Int32Array,
  { embedder, threshold, findTexts, display, signal }: DecideOptions,
): Promise<DecidedGroups> {
  const sizes = new Int32Array(matrix.rows);
  for (const first of firsts) sizes[first]! += 1;
  const candidates = [...firsts.keys()].filter((row) => sizes[firsts[row]!]! > 1);
  if (candidates.length === 0) return { groups: [], candidates: 0 };
  const wanted = candidates.map((row) => ({ row: numbers[row]!, id: ids[row]! }));
  const textOf = await findTexts(wanted);
  const texts = wanted.map(textOf);
  const distinct = [...new Set(texts.filter((text) => text !== null))];
  if (distinct.length === 0) {
    throw new UsageError(
      `none of the ${candidates.length} candidates has a text; --rerank requires the texts of the vectors (--texts, --text)`,
    );
  }
  const embedded = await embedder.embed(distinct, countRows(display, distinct.length), 'document');
  const all = { rows: distinct.length, ...embedded };
  const rowOfText = new Map(distinct.map((text, row) => [text, row]));
  const decided: { row: number; at: number }[] = [];
  for (const [n, row] of candidates.entries()) {
    const at = rowOfText.get(texts[n] ?? '');
    if (at !== undefined && dotOf(all, at, all.vectors, at * all.dim) > 0) decided.push({ row, at });
  }
  const better = pickRows(
    all,
    decided.map(({ at }) => at),
  );
  const firstsOfBetter = await takeSteps(duplicateSteps(better, threshold), { onShare: () => {}, signal });
  const groups = groupsOf(better, firstsOfBetter).map((members) =>
    members.map(({ row: n, cosine }) => {
      const [row, first] = [decided[n]!.row, decided[members[0]!.row]!.row];
      return { row, cosine, firstCosine: dotOf(matrix, row, matrix.vectors, first * matrix.dim) };
    }),
  );
  return { groups, candidates: candidates.length };
}
