/** Searches a vector file exactly, by comparing every row; a better model may order the nearest ones. */

import { quote, relativeScore, type VectorRows } from '@embedmill/contract';
import { type Hit, Nearest, scanRows } from '@embedmill/core/formats';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { TextLookup } from '../../io/texts/read-texts.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { type RankedHit, type Reranker, rankAgain } from './rerank.ts';

/** A hit with its text, if known. With a second model, `score` is that of this model. */
export interface SearchHit extends Hit, Partial<Pick<RankedHit, 'firstScore'>> {
  text: string | null;
  /** The score relative to unrelated texts of the model: 0 for these, 1 for equal ones; `null` if not measured. */
  relative: number | null;
}

/** A question without a vector: every row would be as near as any other. */
export class UnknownQuestionError extends UsageError {}

/** Dependencies of a search. */
export interface SearchDeps {
  vectors: VectorFile;
  embedder: TextEmbedder;
  /** Maximum hits per question. */
  count: number;
  findTexts: (hits: readonly Hit[]) => Promise<TextLookup>;
  /** Orders the nearest rows; `null` if the first pass decides. */
  reranker: Reranker | null;
  /** Receives the number of rows read so far. */
  onRows: (rows: number) => void;
  signal: AbortSignal;
}

/** Searches once, with one slice of the file in memory at a time. */
export async function searchFile(deps: SearchDeps, question: string): Promise<SearchHit[]> {
  return search(deps, question, deps.vectors.read());
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
  return (question) => search({ ...deps, onRows: () => {} }, question, slices);
}

async function search(
  { vectors: { name }, embedder, count, findTexts, reranker, onRows, signal }: SearchDeps,
  question: string,
  slices: AsyncIterable<VectorRows> | Iterable<VectorRows>,
): Promise<SearchHit[]> {
  const { vectors: query } = await embedder.embed([question]);
  if (query.every((value) => value === 0)) {
    throw new UnknownQuestionError(
      `the question ${quote(question)} has no token that ${embedder.name} knows`,
    );
  }
  const nearest = new Nearest(reranker?.candidates ?? count);
  let rows = 0;
  for await (const slice of slices) {
    signal.throwIfAborted();
    if (slice.dim !== query.length) {
      throw new UsageError(
        `${quote(name, 200)} has vectors of ${slice.dim} floats, but ${embedder.name} produces ${query.length}; ` +
          'search with the model of the file (--model)',
      );
    }
    scanRows(query, slice, rows, nearest);
    rows += slice.ids.length;
    onRows(rows);
  }
  if (nearest.hits.length === 0) throw new UsageError(`no row of ${quote(name, 200)} has a vector`);
  const textOf = await findTexts(nearest.hits);
  const hits: readonly (Hit & Partial<RankedHit>)[] =
    reranker === null
      ? nearest.hits
      : (await rankAgain(nearest.hits, question, textOf, reranker.embedder)).slice(0, count);
  const { baseline } = reranker?.embedder ?? embedder;
  const relativeOf = (score: number) =>
    baseline === undefined ? null : Math.round(1000 * relativeScore(score, baseline)) / 1000;
  return hits.map((hit) => ({ ...hit, relative: relativeOf(hit.score), text: textOf(hit) }));
}
