/** Finds the key terms of clusters: words and pairs of words that are more frequent in a cluster than elsewhere. */

import { isContraction, isWithoutSpaces, WordSplitter, withoutPossessive } from './words.ts';

/** Minimum length of a word in scripts with spaces; a single Chinese character may be a word. */
const MIN_WORD_CHARS = 2;

/** Cluster size from which a key term must occur in at least two rows. */
const ROWS_TO_REPEAT = 5;

/** Minimum number of rows with a pair; any two words may meet once. */
const MIN_PAIR_ROWS = 2;

/** Endings that look like a plural but are not. */
const NO_PLURAL = /(?:ss|us|is|news)$/;

/** Minimum length of a singular: `as` is not the plural of `a`. */
const MIN_SINGULAR_CHARS = 3;

/** Number of counted pairs from which those found once in a cluster are forgotten, to bound the memory. */
const MAX_PAIRS = 1_000_000;

/**
 * A pair takes the place of its words if it is in this share of the rows with one of them, and in the second share of
 * the rows with the other one.
 */
const SAME_SHARE = 0.6;
const OFTEN_SHARE = 0.25;

/** Separates the words of a pair in a key of a map; no word contains it. */
const PAIR = ' ';

/** Number of rows with a word or pair, by cluster or in total. */
type Counts = Map<string, number>;

/** A word or a pair, and how many standard deviations it is above what is expected. */
interface Scored {
  term: string;
  score: number;
}

/**
 * Counts the rows with each word and pair of adjacent words by cluster, then ranks them by the log-odds of the cluster
 * against the rest with an informative Dirichlet prior, divided by their standard deviation (Monroe, Colaresi & Quinn
 * 2008, "Fightin' Words"). The prior is the whole run at the size of an average cluster: words of all clusters and
 * words of chance score near 0. A plural counts as its singular where the texts have both, so that a cluster is not
 * called "battery batteries"; a pair takes the place of its words where they occur mostly together.
 */
export class KeyTerms {
  readonly #stopWords: ReadonlySet<string>;
  readonly #splitter = new WordSplitter();
  readonly #words: Counts[];
  readonly #pairs: Counts[];
  readonly #rows: number[];
  #pairCount = 0;
  #model: Model | null = null;

  /** @param stopWords words to leave out, in lower case */
  constructor(clusters: number, stopWords: ReadonlySet<string>) {
    this.#stopWords = stopWords;
    this.#words = Array.from({ length: clusters }, () => new Map());
    this.#pairs = Array.from({ length: clusters }, () => new Map());
    this.#rows = new Array<number>(clusters).fill(0);
  }

  /** Adds the text of one row of a cluster. */
  add(cluster: number, text: string): void {
    this.#model = null;
    this.#rows[cluster]! += 1;
    const words = new Set<string>();
    const pairs = new Set<string>();
    let before: string | null = null;
    for (const word of this.#wordsOf(text.toLowerCase())) {
      if (word === null || this.#stopWords.has(word)) {
        before = null;
        continue;
      }
      words.add(word);
      if (before !== null && before !== word) pairs.add(before + PAIR + word);
      before = word;
    }
    for (const word of words) addTo(this.#words[cluster]!, word, 1);
    const counts = this.#pairs[cluster]!;
    const known = counts.size;
    for (const pair of pairs) addTo(counts, pair, 1);
    this.#pairCount += counts.size - known;
    if (this.#pairCount > MAX_PAIRS) this.#forgetRarePairs();
  }

  /** The top `count` terms of each cluster against all others, best first, ties in alphabetical order. */
  top(count: number): string[][] {
    const { clusters, total, words } = this.#counted();
    return clusters.map((own, cluster) =>
      this.#best(own, this.#rows[cluster]!, count, (term, rows) => [
        rows,
        own.words,
        total.get(term)! - rows,
        words - own.words,
      ]),
    );
  }

  /** Number of rows of a cluster with a term of `top` or `between`. */
  rowsWith(cluster: number, term: string): number {
    const { counts } = this.#counted().clusters[cluster]!;
    const found = counts.get(term);
    if (found !== undefined) return found;
    // A pair of a script without spaces is written without one.
    for (const [key, rows] of counts) if (written(key) === term) return rows;
    return 0;
  }

  /** The top `count` terms of one cluster against one other. */
  between(cluster: number, other: number, count: number): string[] {
    const { clusters } = this.#counted();
    const [own, others] = [clusters[cluster]!, clusters[other]!];
    return this.#best(own, this.#rows[cluster]!, count, (term, rows) => [
      rows,
      own.words,
      others.counts.get(term) ?? 0,
      others.words,
    ]);
  }

  /** The terms of groups of clusters. @param groupOf the group of each cluster, 0 to groups − 1 */
  grouped(groupOf: ArrayLike<number>, groups: number): KeyTerms {
    const grouped = new KeyTerms(groups, this.#stopWords);
    for (const [cluster, rows] of this.#rows.entries()) {
      const group = groupOf[cluster]!;
      grouped.#rows[group]! += rows;
      for (const [word, found] of this.#words[cluster]!) addTo(grouped.#words[group]!, word, found);
      for (const [pair, found] of this.#pairs[cluster]!) addTo(grouped.#pairs[group]!, pair, found);
    }
    return grouped;
  }

  #best(
    own: ClusterCounts,
    rows: number,
    count: number,
    sides: (term: string, rows: number) => [number, number, number, number],
  ): string[] {
    const { clusters, total, words } = this.#counted();
    const minRows = rows < ROWS_TO_REPEAT ? 1 : 2;
    const prior = words / clusters.length;
    const scored: Scored[] = [];
    for (const [term, found] of own.counts) {
      if (found < (term.includes(PAIR) ? MIN_PAIR_ROWS : minRows)) continue;
      // A single cluster has no others to compare it with.
      const score =
        clusters.length === 1
          ? found
          : logOdds(sides(term, found), (prior * total.get(term)!) / words, prior);
      if (score > 0) scored.push({ term, score });
    }
    scored.sort((a, b) => b.score - a.score || (a.term < b.term ? -1 : 1));
    return distinctTerms(scored, own.counts, count).map(written);
  }

  #counted(): Model {
    this.#model ??= countedModel(this.#words, this.#pairs);
    return this.#model;
  }

  #forgetRarePairs(): void {
    this.#pairCount = 0;
    for (const counts of this.#pairs) {
      for (const [pair, rows] of counts) if (rows === 1) counts.delete(pair);
      this.#pairCount += counts.size;
    }
  }

  /** Yields the words of a text in order; `null` where no pair reaches across. */
  *#wordsOf(text: string): Generator<string | null> {
    const isSpaced = !isWithoutSpaces(text);
    let end = 0;
    for (const { word: found, start } of this.#splitter.split(text)) {
      if (!isBlank(text, end, start)) yield null;
      end = start + found.length;
      if (!isSpaced) {
        yield found.length >= MIN_WORD_CHARS || isWithoutSpaces(found) ? found : null;
        continue;
      }
      const word = withoutPossessive(found);
      yield word.length >= MIN_WORD_CHARS && !isContraction(word) ? word : null;
    }
  }
}

/** The rows with each term of a cluster; plurals are merged. */
interface ClusterCounts {
  counts: Counts;
  /** Sum over its words, without pairs. */
  words: number;
}

interface Model {
  clusters: ClusterCounts[];
  total: Counts;
  /** Sum over all words, without pairs. */
  words: number;
}

function countedModel(words: readonly Counts[], pairs: readonly Counts[]): Model {
  const all: Counts = new Map();
  for (const counts of words) for (const [word, rows] of counts) addTo(all, word, rows);
  const nameOf = oneOfEachPlural(all);
  const total: Counts = new Map();
  const clusters = words.map((wordCounts, cluster): ClusterCounts => {
    const counts: Counts = new Map();
    let sum = 0;
    for (const [word, rows] of wordCounts) {
      addTo(counts, nameOf(word), rows);
      sum += rows;
    }
    for (const [pair, rows] of pairs[cluster]!) {
      const [first, second] = pair.split(PAIR).map(nameOf);
      if (first !== second) addTo(counts, first + PAIR + second, rows);
    }
    for (const [term, rows] of counts) addTo(total, term, rows);
    return { counts, words: sum };
  });
  return { clusters, total, words: clusters.reduce((sum, cluster) => sum + cluster.words, 0) };
}

/**
 * Log-odds ratio of a term in two sets of words over its standard deviation.
 * @param sides count of the term and of all words, in the first and in the second set
 * @param share prior count of the term
 * @param prior prior count of all words
 */
function logOdds(
  [own, ownWords, other, otherWords]: [number, number, number, number],
  share: number,
  prior: number,
): number {
  const odds = (count: number, words: number) =>
    Math.log((count + share) / Math.max(share, words + prior - count - share));
  return (odds(own, ownWords) - odds(other, otherWords)) / Math.sqrt(1 / (own + share) + 1 / (other + share));
}

/** The first `count` terms that do not repeat each other: either a pair or its words. */
function distinctTerms(
  scored: readonly Scored[],
  counts: ReadonlyMap<string, number>,
  count: number,
): string[] {
  const kept: string[] = [];
  for (const { term } of scored) {
    const parts = term.split(PAIR);
    const shown = parts.filter((word) => kept.includes(word));
    const repeats = kept.some((other) => sharesWord(other, parts) && !shown.includes(other));
    if (repeats) continue;
    if (shown.length === 0) {
      if (kept.length < count) kept.push(term);
      continue;
    }
    const shares = shown.map((word) => counts.get(term)! / counts.get(word)!);
    if (Math.max(...shares) < SAME_SHARE || Math.min(...shares) < OFTEN_SHARE) continue;
    kept[Math.min(...shown.map((word) => kept.indexOf(word)))] = term;
    for (const word of shown) if (kept.includes(word)) kept.splice(kept.indexOf(word), 1);
  }
  return kept;
}

function sharesWord(term: string, words: readonly string[]): boolean {
  return term.split(PAIR).some((word) => words.includes(word));
}

/** A pair as it is written: with a space, unless its script has none. */
function written(term: string): string {
  const parts = term.split(PAIR);
  return parts.every(isWithoutSpaces) ? parts.join('') : term;
}

/** Whether a text has only spaces between two positions: pairs do not reach across punctuation. */
function isBlank(text: string, from: number, to: number): boolean {
  return text.slice(from, to).trim() === '';
}

function addTo(counts: Counts, term: string, rows: number): void {
  counts.set(term, (counts.get(term) ?? 0) + rows);
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
