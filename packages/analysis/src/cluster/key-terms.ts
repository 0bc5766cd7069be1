/** Names clusters by the words that are frequent in them and rare elsewhere; `embedmill cluster` calls it. */

/** Texts of CJK, Thai, Lao, Khmer and Myanmar have no blanks between words. */
const WITHOUT_BLANKS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

const WORD = /\p{L}[\p{L}\p{M}\p{N}'’]*/gu;

/** A word of one letter says nothing, but one of one Chinese character may. */
const SHORTEST = 2;

/** English contractions are made of words that say nothing: don't, they've. */
const CONTRACTION = /n['’]t$|['’](?:ll|ve|re|m|d)$/;

/** From so many rows on, a word that a single row of the cluster has tells of that row, not of the cluster. */
const ROWS_TO_REPEAT = 5;

/** Words that end as a plural does and are none. */
const NO_PLURAL = /(?:ss|us|is|news)$/;

/** A shorter singular is a word of its own: `as` is not many `a`. */
const SHORTEST_SINGULAR = 3;

/** How often a word occurs in a cluster, and in how many of its rows. */
interface Count {
  times: number;
  rows: number;
}

/**
 * Counts words by cluster, then ranks them with BERTopic's class-based TF-IDF (Grootendorst 2022): the share of a word in
 * the cluster times log(1 + words of an average cluster / count of the word in all of them). A plural counts as its
 * singular where the texts have both, so that a cluster is not called "battery batteries".
 */
export class KeyTerms {
  readonly #stopWords: ReadonlySet<string>;
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
  readonly #counts: Map<string, Count>[];
  readonly #rows: number[];

  /** @param stopWords words to leave out, in lower case */
  constructor(clusters: number, stopWords: ReadonlySet<string>) {
    this.#stopWords = stopWords;
    this.#counts = Array.from({ length: clusters }, () => new Map());
    this.#rows = new Array<number>(clusters).fill(0);
  }

  /** Adds the text of a row of this cluster. */
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

  /** The `count` best words of each cluster, the best first; of equal ones in alphabetical order. */
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
    if (!WITHOUT_BLANKS.test(text)) {
      for (const [found] of text.matchAll(WORD)) {
        const word = found.replace(/['’]s?$/, '');
        if (word.length >= SHORTEST && !CONTRACTION.test(word)) yield word;
      }
      return;
    }
    for (const { segment, isWordLike } of this.#segmenter.segment(text)) {
      if (isWordLike && (segment.length >= SHORTEST || WITHOUT_BLANKS.test(segment))) yield segment;
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

/** What to call a word: of a singular and its plural, the one that is written more often. */
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
  ].filter((word) => word.length >= SHORTEST_SINGULAR);
}
