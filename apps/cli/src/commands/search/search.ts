/** Finds the rows nearest to questions in a file of vectors; `embedmill search` calls it. */

import { quote, type VectorRows } from '@embedmill/contract';
import { type Hit, Nearest, scanRows } from '@embedmill/core/formats';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import type { TextLookup } from '../../io/texts/read-texts.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import { UsageError } from '../../shell/exit-codes.ts';

/** A row that was found, with its text where one is known. */
export interface Found extends Hit {
  text: string | null;
}

/** What a search works with. */
export interface SearchDeps {
  vectors: VectorFile;
  embedder: TextEmbedder;
  /** Hits per question. */
  count: number;
  findTexts: (hits: readonly Hit[]) => Promise<TextLookup>;
  /** Told how many rows were read. */
  onRows: (rows: number) => void;
  signal: AbortSignal;
}

/** Searches once, holding one slice of the file at a time. */
export async function searchFile(parts: SearchDeps, question: string): Promise<Found[]> {
  return search(parts, question, parts.vectors.read());
}

/** Reads the whole file into memory, 1.5 GB for a million rows of 384 floats; then each call searches it. */
export async function loadSearch(parts: SearchDeps): Promise<(question: string) => Promise<Found[]>> {
  const slices: VectorRows[] = [];
  let rows = 0;
  for await (const slice of parts.vectors.read()) {
    parts.signal.throwIfAborted();
    slices.push(slice);
    rows += slice.ids.length;
    parts.onRows(rows);
  }
  return (question) => search({ ...parts, onRows: () => {} }, question, slices);
}

async function search(
  { vectors: { name }, embedder, count, findTexts, onRows, signal }: SearchDeps,
  question: string,
  slices: AsyncIterable<VectorRows> | Iterable<VectorRows>,
): Promise<Found[]> {
  const { vectors: query } = await embedder.embed([question]);
  const nearest = new Nearest(count);
  let rows = 0;
  for await (const slice of slices) {
    signal.throwIfAborted();
    if (slice.dim !== query.length) {
      throw new UsageError(
        `${quote(name, 200)} has vectors of ${slice.dim} floats, and ${embedder.name} makes ${query.length}; ` +
          'search with the model that the file was made with (--model)',
      );
    }
    scanRows(query, slice, rows, nearest);
    rows += slice.ids.length;
    onRows(rows);
  }
  if (nearest.hits.length === 0) throw new UsageError(`no row of ${quote(name, 200)} has a vector`);
  const textOf = await findTexts(nearest.hits);
  return nearest.hits.map((hit) => ({ ...hit, text: textOf(hit) }));
}
