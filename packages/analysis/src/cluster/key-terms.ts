/** Names clusters by the words that are frequent in them and rare elsewhere; `embedmill cluster` calls it. */

/** Texts of CJK, Thai, Lao, Khmer and Myanmar have no blanks between words. */
const WITHOUT_BLANKS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

const WORD = /\p{L}[\p{L}\p{M}\p{N}'’]*/gu;

/** A word of one letter says nothing, but one of one Chinese character may. */
const SHORTEST = 2;

/**
 * Counts words by cluster, then ranks them with BERTopic's class-based TF-IDF (Grootendorst 2022): the share of a word in
 * the cluster times log(1 + words of an average cluster / count of the word in all of them).
 */
export class KeyTerms {
  readonly #stopWords: ReadonlySet<string>;
  readonly #segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
  readonly #counts: Map<string, number>[];

  /** @param stopWords words to leave out, in lower case */
  constructor(clusters: number, stopWords: ReadonlySet<string>) {
    this.#stopWords = stopWords;
    this.#counts = Array.from({ length: clusters }, () => new Map());
  }

  /** Adds the text of a row of this cluster. */
  add(cluster: number, text: string): void {
    const counts = this.#counts[cluster]!;
    for (const word of this.#wordsOf(text.toLowerCase())) {
      if (!this.#stopWords.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }

  /** The `count` best words of each cluster, the best first; of equal ones in alphabetical order. */
  top(count: number): string[][] {
    const everywhere = new Map<string, number>();
    let words = 0;
    for (const counts of this.#counts) {
      for (const [word, times] of counts) {
        everywhere.set(word, (everywhere.get(word) ?? 0) + times);
        words += times;
      }
    }
    const average = words / this.#counts.length;
    return this.#counts.map((counts) =>
      [...counts]
        .map(([word, times]) => ({ word, weight: times * Math.log(1 + average / everywhere.get(word)!) }))
        .sort((a, b) => b.weight - a.weight || (a.word < b.word ? -1 : 1))
        .slice(0, count)
        .map(({ word }) => word),
    );
  }

  *#wordsOf(text: string): Generator<string> {
    if (!WITHOUT_BLANKS.test(text)) {
      for (const [word] of text.matchAll(WORD)) if (word.length >= SHORTEST) yield word;
      return;
    }
    for (const { segment, isWordLike } of this.#segmenter.segment(text)) {
      if (isWordLike && (segment.length >= SHORTEST || WITHOUT_BLANKS.test(segment))) yield segment;
    }
  }
}
