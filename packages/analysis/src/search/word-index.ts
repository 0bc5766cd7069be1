/**
 * An index of the words of many rows, searched by BM25.
 *
 * Rows are added in order. Up to 65,536 rows form a segment: for each of its terms the row numbers within the segment
 * and how often the term occurs there, in typed arrays. Closing a segment takes a few milliseconds, so that building
 * never blocks for longer. Decision: docs/decisions/0227-words-and-vectors-fused-by-rank.md.
 */

import { TermSplitter } from './terms.ts';
import { type ScoredRow, TopRows } from './top-rows.ts';

/** Rows whose numbers fit 16 bits. */
const SEGMENT_ROWS = 65_536;

/** Entries after which a segment is closed even if it has room for rows, so that closing it stays short. */
const SEGMENT_ENTRIES = 1_000_000;

/** Saturation of repeated terms and share of length normalisation: the defaults of Lucene and of Robertson's papers. */
const K1 = 1.2;
const B = 0.75;

/** Minimum weight of terms worth showing, relative to the heaviest term of the query. */
const MIN_SHOWN_WEIGHT = 0.6;

/** Memory of an entry of the vocabulary besides its characters: the string and its entry in a Map. */
const BYTES_PER_TERM = 100;

/** Rows of one range and their terms. */
interface Segment {
  readonly firstRow: number;
  /** Words per row, at most 65,535. */
  readonly lengths: Uint16Array;
  /** Numbers of the terms, ascending. */
  readonly terms: Uint32Array;
  /** `starts[i]` to `starts[i + 1]` are the entries of `terms[i]`. */
  readonly starts: Uint32Array;
  /** Rows within the segment, ascending per term. */
  readonly rows: Uint16Array;
  /** Occurrences in the row, at most 255. */
  readonly counts: Uint8Array;
}

/** The segment that receives rows: entries in the order of the rows. */
interface OpenSegment {
  firstRow: number;
  lengths: number[];
  /** Numbers of the terms of this segment, in the order of their first occurrence. */
  terms: number[];
  /** Entries per term, in the order of `terms`. */
  sizes: number[];
  /** Position of the last entry per term, in the order of `terms`. */
  last: number[];
  /** Positions in `terms`. */
  termOf: number[];
  rows: number[];
  counts: number[];
}

/** Options of a search. */
export interface WordSearchOptions {
  /** Maximum rows. */
  readonly count: number;
  /** 1 for each row that may be found; `null`: all rows. */
  readonly mask?: Uint8Array | null;
}

/** An index of words in memory. */
export class WordIndex {
  readonly #splitter = new TermSplitter();
  readonly #only: ReadonlySet<string> | null;
  readonly #numbers = new Map<string, number>();
  /** Position of a term in the open segment, by its number; −1 if it does not occur there. */
  #place = new Int32Array(1024).fill(-1);
  readonly #segments: Segment[] = [];
  #open: OpenSegment = emptySegment(0);
  #words = 0;
  #closedBytes = 0;
  #vocabularyBytes = 0;

  /** @param only indexes only these terms, for one search; `null`: all terms */
  constructor(only: ReadonlySet<string> | null = null) {
    this.#only = only;
  }

  /** Rows added so far. */
  get rows(): number {
    return this.#open.firstRow + this.#open.lengths.length;
  }

  /** Estimated memory in bytes. */
  get bytes(): number {
    const { lengths, termOf, terms } = this.#open;
    const openBytes = 8 * (lengths.length + 3 * termOf.length + 3 * terms.length);
    return this.#closedBytes + this.#vocabularyBytes + 4 * this.#place.length + openBytes;
  }

  /** Adds the next row; `null` is a row without a text. */
  add(text: string | null): void {
    const open = this.#open;
    const row = open.lengths.length;
    let words = 0;
    if (text !== null) {
      this.#splitter.forEach(text, (term) => {
        words += 1;
        if (this.#only === null || this.#only.has(term)) this.#enter(term, row);
      });
    }
    this.#words += words;
    open.lengths.push(Math.min(words, 65_535));
    if (open.lengths.length === SEGMENT_ROWS || open.termOf.length >= SEGMENT_ENTRIES) this.#close();
  }

  #enter(term: string, row: number): void {
    const open = this.#open;
    const number = this.#numberOf(term);
    let place = this.#place[number]!;
    if (place === -1) {
      place = open.terms.length;
      this.#place[number] = place;
      open.terms.push(number);
      open.sizes.push(0);
      open.last.push(-1);
    }
    const last = open.last[place]!;
    if (last !== -1 && open.rows[last] === row) {
      open.counts[last] = Math.min(open.counts[last]! + 1, 255);
      return;
    }
    open.last[place] = open.termOf.length;
    open.sizes[place]! += 1;
    open.termOf.push(place);
    open.rows.push(row);
    open.counts.push(1);
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number === this.#place.length) {
      const grown = new Int32Array(2 * number).fill(-1);
      grown.set(this.#place);
      this.#place = grown;
    }
    // A slice of a text would keep the whole text in memory.
    this.#numbers.set([...term].join(''), number);
    this.#vocabularyBytes += BYTES_PER_TERM + 2 * term.length;
    return number;
  }

  /** Sorts the entries of the open segment by term. */
  #close(): void {
    if (this.#open.lengths.length === 0) return;
    const { firstRow, lengths, terms, sizes, termOf, rows, counts } = this.#open;
    const order = Uint32Array.from(terms.keys()).sort((a, b) => terms[a]! - terms[b]!);
    const starts = new Uint32Array(terms.length + 1);
    const next = new Uint32Array(terms.length);
    for (const [i, place] of order.entries()) {
      next[place] = starts[i]!;
      starts[i + 1] = starts[i]! + sizes[place]!;
    }
    const segment: Segment = {
      firstRow,
      lengths: Uint16Array.from(lengths),
      terms: order.map((place) => terms[place]!),
      starts,
      rows: new Uint16Array(termOf.length),
      counts: new Uint8Array(termOf.length),
    };
    for (let i = 0; i < termOf.length; i++) {
      const at = next[termOf[i]!]!++;
      segment.rows[at] = rows[i]!;
      segment.counts[at] = counts[i]!;
    }
    for (const number of terms) this.#place[number] = -1;
    this.#segments.push(segment);
    this.#closedBytes += 2 * lengths.length + 8 * terms.length + 3 * termOf.length;
    this.#open = emptySegment(firstRow + lengths.length);
  }

  /**
   * Searches in steps of one segment each, a few milliseconds long; yields the share of the segments done. Returns the
   * rows with at least one of the words, best first by BM25; ties go to the earlier row. The mask changes which rows
   * are found, not their scores.
   */
  *search(query: string, { count, mask = null }: WordSearchOptions): Generator<number, readonly ScoredRow[]> {
    this.#close();
    const numbers = this.#splitter.distinct(query).flatMap((term) => this.#numbers.get(term) ?? []);
    const top = new TopRows(count);
    if (numbers.length === 0) return top.rows;
    const weights = numbers.map((number) => this.#weightOf(number));
    const averageWords = this.#words / this.rows;
    const scores = new Float32Array(SEGMENT_ROWS);
    for (const [s, segment] of this.#segments.entries()) {
      const { firstRow, lengths, rows, counts } = segment;
      for (const [i, number] of numbers.entries()) {
        const [from, to] = entriesOf(segment, number);
        for (let at = from; at < to; at++) {
          const row = rows[at]!;
          const repeats = counts[at]!;
          const norm = K1 * (1 - B + (B * lengths[row]!) / averageWords);
          scores[row]! += (weights[i]! * repeats * (K1 + 1)) / (repeats + norm);
        }
      }
      let bar = Math.max(0, top.bar);
      for (let row = 0; row < lengths.length; row++) {
        const score = scores[row]!;
        if (score === 0) continue;
        scores[row] = 0;
        if (!(score > bar) || (mask !== null && mask[firstRow + row] !== 1)) continue;
        top.offer(firstRow + row, score);
        bar = Math.max(0, top.bar);
      }
      yield (s + 1) / this.#segments.length;
    }
    return top.rows;
  }

  /**
   * The terms of a query that are worth showing: those that weigh at least 0.6 of the rarest one, which leaves out words
   * such as "the" in any language.
   */
  tellingTerms(query: string): ReadonlySet<string> {
    this.#close();
    const known = this.#splitter.distinct(query).filter((term) => this.#numbers.has(term));
    const weights = known.map((term) => this.#weightOf(this.#numbers.get(term)!));
    const least = MIN_SHOWN_WEIGHT * Math.max(...weights);
    return new Set(known.filter((_, n) => weights[n]! >= least));
  }

  /** Inverse document frequency, as in Lucene: never negative. */
  #weightOf(number: number): number {
    const rows = this.#rowsWith(number);
    return Math.log(1 + (this.rows - rows + 0.5) / (rows + 0.5));
  }

  /** Rows of the closed segments that have a term. */
  #rowsWith(number: number): number {
    return this.#segments.reduce((sum, segment) => {
      const [from, to] = entriesOf(segment, number);
      return sum + to - from;
    }, 0);
  }
}

function emptySegment(firstRow: number): OpenSegment {
  return { firstRow, lengths: [], terms: [], sizes: [], last: [], termOf: [], rows: [], counts: [] };
}

/** The range of a term's entries in a segment; empty if it does not occur. */
function entriesOf({ terms, starts }: Segment, number: number): [from: number, to: number] {
  let from = 0;
  for (let to = terms.length; from < to; ) {
    const middle = (from + to) >> 1;
    if (terms[middle]! < number) from = middle + 1;
    else to = middle;
  }
  return terms[from] === number ? [starts[from]!, starts[from + 1]!] : [0, 0];
}
