/**
 * Searches: what they compare, what they return, and how two rankings become one.
 *
 * Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009. Each ranking adds 1 / (60 + rank), so that the
 * scales of cosines and BM25 scores do not matter.
 */

import type { ColumnCondition, RowColumns } from './columns.ts';
import type { ScoreBaseline } from './score-baseline.ts';
import type { RowOutcome } from './verdicts.ts';

/** What a search compares: vectors, words, or both, fused by rank. */
export type SearchMode = 'hybrid' | 'vector' | 'words';

/** Ranks of a row in the two rankings of a search, from 1; `null`: not among the ranked rows. */
export interface SearchRanks {
  vector: number | null;
  words: number | null;
}

/** A row that a search found. */
export interface SearchHit {
  /** Row number in the output, from 0. */
  row: number;
  id: string;
  /** `null` for a row without a text. */
  text: string | null;
  /** The kept values of its columns. */
  columns: RowColumns;
  /** Cosine of its vector and that of the query, -1 to 1; `null` if one of them has no vector. */
  score: number | null;
  /** The score on a scale where 0 stands for unrelated texts and 1 for equal ones; `null` without a baseline. */
  relative: number | null;
  rank: SearchRanks;
  /** The words of the query as they stand in the text, without far more common ones; empty in mode `vector`. */
  words: string[];
  /** Where these words stand in the text, in UTF-16 units; at most 100. */
  spans: [start: number, end: number][];
  /** The ranks in words. */
  reason: string;
}

/** Which rows are searched. */
export interface SearchFilter {
  /** Conditions by column name; all must hold. */
  columns?: Readonly<Record<string, ColumnCondition>> | undefined;
}

/** A search in a run: for a text, or for rows like a row. */
export type SearchQuery = ({ text: string; like?: never } | { like: number; text?: never }) & {
  /** Maximum hits. Default 20. */
  count?: number;
  /** Default `hybrid`; always `vector` with `like`. */
  mode?: SearchMode;
  filter?: SearchFilter;
};

/** The answer to a search. */
export interface SearchAnswer {
  /** Outcome of the query text; without a vector only its words are compared. `null` if no text was embedded. */
  outcome: RowOutcome | null;
  mode: SearchMode;
  /** Rows in the run. */
  rows: number;
  /** Best first. */
  hits: SearchHit[];
  /** Cosines of unrelated texts of the model; `null` if they were not measured. */
  baseline: ScoreBaseline | null;
  timings: { embedMs: number; searchMs: number; readMs: number };
}

/** The constant of the paper. */
const RANK_OFFSET = 60;

/** A row of the fused ranking. */
export interface FusedRow {
  row: number;
  rank: SearchRanks;
}

/** The rows of both rankings, best first; ties go to the better vector rank, then to the earlier row. */
export function fuseRanks(vector: readonly { row: number }[], words: readonly { row: number }[]): FusedRow[] {
  const fused = new Map<number, FusedRow>();
  for (const [n, { row }] of vector.entries()) fused.set(row, { row, rank: { vector: n + 1, words: null } });
  for (const [n, { row }] of words.entries()) {
    const known = fused.get(row);
    if (known === undefined) fused.set(row, { row, rank: { vector: null, words: n + 1 } });
    else known.rank.words = n + 1;
  }
  const of = (rank: number | null) => (rank === null ? 0 : 1 / (RANK_OFFSET + rank));
  const scoreOf = ({ rank }: FusedRow) => of(rank.vector) + of(rank.words);
  const vectorOf = ({ rank }: FusedRow) => rank.vector ?? Number.POSITIVE_INFINITY;
  return [...fused.values()].sort(
    (a, b) => scoreOf(b) - scoreOf(a) || compare(vectorOf(a), vectorOf(b)) || a.row - b.row,
  );
}

/**
 * How many rows of each ranking are fused for this many hits. Deeper rankings hardly change the first hits: rank 200
 * adds less than a quarter of rank 1.
 */
export function rankingDepth(count: number): number {
  return Math.max(200, 2 * count);
}

/** Why a row was found: `3rd nearest by meaning; 1st by words: refund, card`. */
export function explainRanks({ vector, words }: SearchRanks, matched: readonly string[]): string {
  const parts: string[] = [];
  const list = matched.join(', ');
  if (vector !== null) parts.push(`${ordinal(vector)} nearest by meaning`);
  if (words !== null) parts.push(`${ordinal(words)} by words${list === '' ? '' : `: ${list}`}`);
  else if (list !== '') parts.push(`has the words: ${list}`);
  return parts.join('; ');
}

function ordinal(n: number): string {
  const lastTwo = n % 100;
  const suffix = lastTwo >= 11 && lastTwo <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n.toLocaleString('en')}${suffix}`;
}

function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}
