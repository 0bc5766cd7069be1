/** Ranks the rows of a vector file by the words of their texts. */

import { TermSplitter, WordIndex } from '@embedmill/analysis';
import type { StoredText } from '../../io/texts/stored-texts.ts';

/** A row by its words: the rank, and which vector is its own. */
export interface WordRow {
  row: number;
  /** The id that the row of the vector must have; `null` if the row number is enough. */
  id: string | null;
}

/** The rows with words of a question, best first, and the terms to highlight. */
export interface WordRanking {
  rows: readonly WordRow[];
  terms: ReadonlySet<string>;
}

/** An index of the words of a vector file. */
export interface TextIndex {
  index: WordIndex;
  /** Ids of the texts by row; empty if the texts stand beside their vectors. */
  ids: (string | undefined)[];
}

/**
 * Reads texts into an index.
 * @param question indexes only the words of this question; `null`: all words
 */
export async function indexTexts(
  texts: AsyncIterable<StoredText>,
  question: string | null,
): Promise<TextIndex> {
  const index = new WordIndex(question === null ? null : new Set(new TermSplitter().distinct(question)));
  const ids: (string | undefined)[] = [];
  for await (const { row, id, text } of texts) {
    while (index.rows < row) index.add(null);
    index.add(text);
    if (id !== null) ids[row] = id;
  }
  return { index, ids };
}

/** The `count` best rows by BM25. */
export function rankWords({ index, ids }: TextIndex, question: string, count: number): WordRanking {
  const steps = index.search(question, { count });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return {
    rows: step.value.map(({ row }) => ({ row, id: ids[row] ?? null })),
    terms: index.tellingTerms(question),
  };
}
