/** Finds the key terms of clusters: words that are frequent in a cluster and rare elsewhere. */

import { isContraction, isWithoutSpaces, WordSplitter, withoutPossessive } from './words.ts';

/** Minimum length of a word in scripts with spaces; a single Chinese character may be a word. */
const MIN_WORD_CHARS = 2;

/** Cluster size from which a key term must occur in at least two rows. */
const ROWS_TO_REPEAT = 5;

/** Endings that look like a plural but are not. */
const NO_PLURAL = /(?:ss|us|is|news)$/;

/** Minimum length of a singular: `as` is not the plural of `a`. */
const MIN_SINGULAR_CHARS = 3;

/** Occurrences of a word in a cluster, and the number of rows with the word. */
interface Count {
  times: number;
  rows: number;
}

/**
 * Counts words by cluster, then ranks them with BERTopic's class-based TF-IDF (Grootendorst 2022): the share
 * of a word in the cluster times log(1 + words of an average cluster / count of the word in all of them). A
 * plural counts as its singular where the texts have both, so that a cluster is not called "battery
 * batteries".
 */
export class KeyTerms {
  readonly #stopWords: ReadonlySet<string>;
  readonly #splitter = new WordSplitter();
  readonly #counts: Map<string, Count>[];
  readonly #rows: number[];

  /** @param stopWords words to leave out, in lower case */
  constructor(clusters: number, stopWords: ReadonlySet<string>) {
    this.#stopWords = stopWords;
    this.#counts = Array.from({ length: clusters }, () => new Map());
    this.#rows = new Array<number>(clusters).fill(0);
  }

  /** Adds the text of one row of a cluster. */
  add(cluster: number, text: string): void {
    const counts = this.#counts[cluster]!;
    this.#rows[cluster]! += 1;
    const seen = new Set<string>();
    for (const word of this.#wordsOf(text.toLowerCase())) {
      if (this.#stopWords.has(word)) continue;
      addTo(counts, word, { times: 1, rows: seen.has(word) ? 0 : 1 });
      seen.add(word);
    }
  }

  /** The top `count` words of each cluster, best first, ties in alphabetical order. */
  top(count: number): string[][] {
    const written = new Map<string, number>();
    for (const counts of this.#counts) {
      for (const [word, { times }] of counts) written.set(word, (written.get(word) ?? 0) + times);
    }
    const nameOf = oneOfEachPlural(written);
    const everywhere = new Map<string, number>();
    let words = 0;
    for (const [word, times] of written) {
      everywhere.set(nameOf(word), (everywhere.get(nameOf(word)) ?? 0) + times);
      words += times;
    }
    const average = words / this.#counts.length;
    return this.#counts.map((counts, cluster) => {
      const merged = new Map<string, Count>();
      for (const [word, found] of counts) addTo(merged, nameOf(word), found);
      const minRows = this.#rows[cluster]! < ROWS_TO_REPEAT ? 1 : 2;
      return [...merged]
        .filter(([, { rows }]) => rows >= minRows)
        .map(([word, { times }]) => ({ word, weight: times * Math.log(1 + average / everywhere.get(word)!) }))
        .sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1))
        .slice(0, count)
        .map(({ word }) => word);
    });
  }

  *#wordsOf(text: string): Generator<string> {
    if (!isWithoutSpaces(text)) {
      for (const { word: found } of this.#splitter.split(text)) {
        const word = withoutPossessive(found);
        if (word.length >= MIN_WORD_CHARS && !isContraction(word)) yield word;
      }
      return;
    }
    for (const { word } of this.#splitter.split(text)) {
      if (word.length >= MIN_WORD_CHARS || isWithoutSpaces(word)) yield word;
    }
  }
}

function addTo(counts: Map<string, Count>, word: string, { times, rows }: Count): void {
  const count = counts.get(word);
  if (count === undefined) counts.set(word, { times, rows });
  else {
    count.times += times;
    count.rows += rows;
  }
}

/** Maps a singular and its plural to the more frequent of the two. */
function oneOfEachPlural(written: ReadonlyMap<string, number>): (word: string) => string {
  const names = new Map<string, string>();
  for (const [plural, times] of written) {
    const singular = singularsOf(plural).find((word) => written.has(word));
    if (singular === undefined) continue;
    const name = written.get(singular)! >= times ? singular : plural;
    names.set(singular, name).set(plural, name);
  }
  return (word) => names.get(word) ?? word;
}

function singularsOf(plural: string): string[] {
  if (!plural.endsWith('s') || NO_PLURAL.test(plural)) return [];
  return [
    plural.slice(0, -1),
    ...(plural.endsWith('ies') ? [`${plural.slice(0, -3)}y`] : []),
    ...(plural.endsWith('es') ? [plural.slice(0, -2)] : []),
  ].filter((word) => word.length >= MIN_SINGULAR_CHARS);
}
