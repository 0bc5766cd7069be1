/** Searches a vector file by meaning and words; a better model may order the best rows. */

import { TermSplitter } from '@embedmill/analysis';
import {
  explainRanks,
  fuseRanks,
  quote,
  rankingDepth,
  relativeScore,
  type SearchMode,
  type SearchRanks,
  type VectorRows,
} from '@embedmill/contract';
import { dotRow, type Hit, Nearest, scanRows } from '@embedmill/core/formats';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { TextLookup } from '../../io/texts/read-texts.ts';
import type { StoredText } from '../../io/texts/stored-texts.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { type RankedHit, type Reranker, rankAgain } from './rerank.ts';
import { indexTexts, rankWords, type WordRanking } from './words.ts';

/** A hit with its text, if known. With a second model, `score` is that of this model. */
export interface SearchHit extends Hit, Partial<Pick<RankedHit, 'firstScore'>> {
  text: string | null;
  /** The score relative to unrelated texts of the model: 0 for these, 1 for equal ones; `null` if not measured. */
  relative: number | null;
  rank: SearchRanks;
  /** The words of the question as they stand in the text, without far more common ones; empty in mode `vector`. */
  words: string[];
  /** The ranks in words. */
  reason: string;
}

/** A question without a vector: every row would be as near as any other. */
export class UnknownQuestionError extends UsageError {}

/** Dependencies of a search. */
export interface SearchDeps {
  vectors: VectorFile;
  embedder: TextEmbedder;
  mode: SearchMode;
  /** Maximum hits per question. */
  count: number;
  findTexts: (hits: readonly Hit[]) => Promise<TextLookup>;
  /** Reads the texts of all rows; not called in mode `vector`. */
  readTexts: () => AsyncIterable<StoredText>;
  /** Orders the best rows; `null` if the first pass decides. */
  reranker: Reranker | null;
  /** Receives the number of rows read so far. */
  onRows: (rows: number) => void;
  signal: AbortSignal;
}

/** The rows of a file, and their ranking by words; `null` in mode `vector`. */
interface Searched {
  slices: AsyncIterable<VectorRows> | Iterable<VectorRows>;
  rankWords: ((question: string, count: number) => WordRanking) | null;
}

const NO_WORDS: WordRanking = { rows: [], terms: new Set() };

/** Searches once, with one slice of the file in memory at a time. */
export async function searchFile(deps: SearchDeps, question: string): Promise<SearchHit[]> {
  const texts = deps.mode === 'vector' ? null : await indexTexts(deps.readTexts(), question);
  return await search(deps, question, {
    slices: deps.vectors.read(),
    rankWords: texts && ((asked, count) => rankWords(texts, asked, count)),
  });
}

/** Loads the file (1.5 GB for a million rows of 384 floats) and returns a function that searches it. */
export async function loadSearch(deps: SearchDeps): Promise<(question: string) => Promise<SearchHit[]>> {
  const slices: VectorRows[] = [];
  let rows = 0;
  for await (const slice of deps.vectors.read()) {
    deps.signal.throwIfAborted();
    slices.push(slice);
    rows += slice.ids.length;
    deps.onRows(rows);
  }
  const texts = deps.mode === 'vector' ? null : await indexTexts(deps.readTexts(), null);
  const searched: Searched = {
    slices,
    rankWords: texts && ((asked, count) => rankWords(texts, asked, count)),
  };
  return (question) => search({ ...deps, onRows: () => {} }, question, searched);
}

async function search(deps: SearchDeps, question: string, searched: Searched): Promise<SearchHit[]> {
  const { vectors, embedder, mode, count, findTexts, reranker } = deps;
  const { vectors: query } = await embedder.embed([question]);
  if (query.every((value) => value === 0)) {
    throw new UnknownQuestionError(
      `the question ${quote(question)} has no token that ${embedder.name} knows`,
    );
  }
  const wanted = reranker?.candidates ?? count;
  const depth = mode === 'vector' ? wanted : rankingDepth(wanted);
  const words = searched.rankWords?.(question, depth) ?? NO_WORDS;
  const { nearest, withWords, rows } = await scan(deps, query, searched.slices, { words, depth });
  if (rows === 0) throw new UsageError(`no row of ${quote(vectors.name, 200)} has a vector`);
  const fused = fuseRanks(mode === 'words' ? [] : nearest, withWords).slice(0, wanted);
  const hitOf = new Map([...withWords, ...nearest].map((hit) => [hit.row, hit]));
  const rankOf = new Map(fused.map(({ row, rank }) => [row, rank]));
  const best = fused.map(({ row }) => hitOf.get(row)!);
  const textOf = await findTexts(best);
  const hits: readonly (Hit & Partial<RankedHit>)[] =
    reranker === null || best.length === 0
      ? best
      : (await rankAgain(best, question, textOf, reranker.embedder)).slice(0, count);
  const { baseline } = reranker?.embedder ?? embedder;
  const relativeOf = (score: number) =>
    baseline === undefined ? null : Math.round(1000 * relativeScore(score, baseline)) / 1000;
  const splitter = new TermSplitter();
  return hits.map((hit) => {
    const text = textOf(hit);
    const matches = text === null ? [] : splitter.matches(text, words.terms);
    const matched = [...new Set(matches.map(({ start, end }) => text!.slice(start, end)))];
    const rank = rankOf.get(hit.row)!;
    return {
      ...hit,
      relative: relativeOf(hit.score),
      text,
      rank,
      words: matched,
      reason: explainRanks(rank, matched),
    };
  });
}

/** Scans all rows for the nearest ones, and for the vectors of the rows with words. */
async function scan(
  { vectors: { name }, embedder, onRows, signal }: SearchDeps,
  query: Float32Array,
  slices: Searched['slices'],
  { words, depth }: { words: WordRanking; depth: number },
): Promise<{ nearest: readonly Hit[]; withWords: Hit[]; rows: number }> {
  const nearest = new Nearest(depth);
  const rankByRow = new Map(words.rows.map(({ row, id }, rank) => [row, { id, rank }]));
  const rankById = new Map(words.rows.flatMap(({ id }, rank) => (id === null ? [] : [[id, rank]])));
  /** Hits by rank; a row in its own place comes before another row with its id. */
  const found = new Map<number, Hit>();
  let first = 0;
  let rows = 0;
  for await (const slice of slices) {
    signal.throwIfAborted();
    if (slice.dim !== query.length) {
      throw new UsageError(
        `${quote(name, 200)} has vectors of ${slice.dim} floats, but ${embedder.name} produces ${query.length}; ` +
          'search with the model of the file (--model)',
      );
    }
    scanRows(query, slice, first, nearest);
    for (const [n, id] of slice.ids.entries()) {
      if (slice.present[n] !== 1) continue;
      rows += 1;
      const placed = rankByRow.get(first + n);
      const isPlaced = placed !== undefined && (placed.id === null || placed.id === id);
      const rank = isPlaced ? placed.rank : rankById.get(id);
      if (rank === undefined || (!isPlaced && found.has(rank))) continue;
      found.set(rank, { row: first + n, id, score: dotRow(query, slice.vectors, n) });
    }
    first += slice.ids.length;
    onRows(first);
  }
  const withWords = [...found].sort(([a], [b]) => a - b).map(([, hit]) => hit);
  return { nearest: nearest.hits, withWords, rows };
}
