/** Searches a run by meaning and words, and says of each row why it was found. */

import { TermSplitter } from '@embedmill/analysis';
import {
  explainRanks,
  type FusedRow,
  fuseRanks,
  RequestError,
  rankingDepth,
  relativeScore,
  type ScoreBaseline,
  type SearchHit,
  type SearchMode,
} from '@embedmill/contract';
import { dotRow } from '@embedmill/core/formats';
import { type Run, readRowTexts, readRowVectors } from '@embedmill/core/runs';
import type { SearchIndexes } from './search-indexes.ts';

/** Maximum matches per hit that are returned for highlighting. */
const MAX_SPANS = 100;

/** Maximum different words in the reason of a hit. */
const MAX_REASON_WORDS = 5;

/** What is searched for. */
export interface RunQuery {
  mode: SearchMode;
  /** Vector of the query, of length 1; `null` for mode `words` and for a query that has none. */
  vector: Float32Array | null;
  /** Words of the query; `null` for mode `vector`. */
  words: string | null;
  /** Maximum number of hits. */
  count: number;
  /** 1 for each row that may be found; `null`: all rows. */
  mask: Uint8Array | null;
  baseline: ScoreBaseline | null;
}

/** A row that was ranked, and the exact score of modes that have it. */
interface RankedRow extends FusedRow {
  score?: number;
}

/** The ranked rows of a query and the terms to highlight. */
export interface RankedRows {
  rows: readonly RankedRow[];
  terms: ReadonlySet<string>;
}

/**
 * The vector of a row of the run, for rows like it.
 * @throws {RequestError} `invalid-body` if the row does not exist or has no vector
 */
export async function vectorOfRow(run: Run, row: number): Promise<Float32Array> {
  const vector = (await readRowVectors(run, [row])).get(row);
  if (vector !== undefined) return vector;
  throw new RequestError('invalid-body', `row ${row} of run ${run.id} does not exist or has no vector`);
}

/** Ranks the rows of a run: by vectors, by words, or by both rankings fused. */
export async function rankRows(run: Run, query: RunQuery, indexes: SearchIndexes): Promise<RankedRows> {
  const { mode, vector, words, count, mask } = query;
  if (mode === 'vector' || words === null) {
    const nearest = vector === null ? [] : await indexes.nearest(run, vector, { count, mask });
    return {
      rows: nearest.map(({ row, score }, n) => ({ row, score, rank: { vector: n + 1, words: null } })),
      terms: new Set(),
    };
  }
  const options = { count: rankingDepth(count), mask };
  const nearest = vector === null || mode === 'words' ? [] : await indexes.nearly(run, vector, options);
  const { rows, terms } = await indexes.withWords(run, words, options);
  return { rows: fuseRanks(nearest, rows).slice(0, count), terms };
}

/** Reads the texts and scores of ranked rows. */
export async function describeRows(
  run: Run,
  { vector, baseline }: Pick<RunQuery, 'vector' | 'baseline'>,
  { rows, terms }: RankedRows,
): Promise<SearchHit[]> {
  const numbers = rows.map(({ row }) => row);
  const texts = await readRowTexts(run, numbers);
  const unscored = vector === null ? [] : rows.filter(({ score }) => score === undefined);
  const vectors = await readRowVectors(
    run,
    unscored.map(({ row }) => row),
  );
  const splitter = new TermSplitter();
  return rows.map(({ row, rank, score: known }, n): SearchHit => {
    const { id, text, columns } = texts[n]!;
    const own = vectors.get(row);
    const score = known ?? (vector === null || own === undefined ? null : dotRow(vector, own, 0));
    const matches = text === null || terms.size === 0 ? [] : splitter.matches(text, terms);
    const words = new Map(matches.map(({ term, start, end }) => [term, text!.slice(start, end)]));
    return {
      row,
      id,
      text,
      columns,
      score,
      relative: score === null || baseline === null ? null : relativeScore(score, baseline),
      rank,
      words: [...new Set(matches.map(({ start, end }) => text!.slice(start, end)))],
      spans: matches.slice(0, MAX_SPANS).map(({ start, end }) => [start, end]),
      reason: explainRanks(rank, [...words.values()].slice(0, MAX_REASON_WORDS)),
    };
  });
}
