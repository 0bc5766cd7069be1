/** Finds the rows nearest to questions in a file of vectors; `embedmill search` calls it. */

import { type Hit, Nearest, scanRows, type VectorRows } from '@embedmill/core';
import type { TextEmbedder } from '../embedder/types.ts';
import type { VectorFile } from '../vectors/types.ts';

/** A row that was found, with its text where one is known. */
export interface Found extends Hit {
  text: string | null;
}

/** What a search works with. */
export interface SearchParts {
  vectors: VectorFile;
  embedder: TextEmbedder;
  /** Hits per question. */
  count: number;
  /** The texts of these ids; those that are not known are left out. */
  findTexts: (ids: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>;
  /** Told how many rows were read. */
  onRows: (rows: number) => void;
  signal: AbortSignal;
}

/** Searches once, holding one slice of the file at a time. */
export async function searchFile(parts: SearchParts, question: string): Promise<Found[]> {
  return search(parts, question, parts.vectors.read());
}

/** Reads the whole file into memory, 1.5 GB for a million rows of 384 floats; then each call searches it. */
export async function loadSearch(parts: SearchParts): Promise<(question: string) => Promise<Found[]>> {
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
  { embedder, count, findTexts, onRows, signal }: SearchParts,
  question: string,
  slices: AsyncIterable<VectorRows> | Iterable<VectorRows>,
): Promise<Found[]> {
  const { vectors: query } = await embedder.embed([question]);
  const nearest = new Nearest(count);
  let rows = 0;
  for await (const slice of slices) {
    signal.throwIfAborted();
    scanRows(query, slice, rows, nearest);
    rows += slice.ids.length;
    onRows(rows);
  }
  const texts = await findTexts(new Set(nearest.hits.map(({ id }) => id)));
  return nearest.hits.map((hit) => ({ ...hit, text: texts.get(hit.id) ?? null }));
}
