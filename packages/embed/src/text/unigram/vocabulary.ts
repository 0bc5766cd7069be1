/**
 * Reads the vocabulary of a Unigram tokenizer.json without building JavaScript objects for its pieces.
 *
 * 250,000 pieces as parsed JSON need more heap than an inference thread has; here they are typed arrays, which
 * are outside the heap.
 */

import { PieceTrie } from './piece-trie.ts';

/** The pieces of a Unigram model. */
export interface UnigramVocabulary {
  trie: PieceTrie;
  /** Logarithm of the probability of each piece. */
  scores: Float64Array;
  /** Returns the text of a piece; undefined if no piece has this id. */
  pieceOf(id: number): string | undefined;
}

/** A tokenizer.json with its pieces taken out. */
export interface SplitTokenizerFile {
  /** The parsed file with an empty `model.vocab`. */
  settings: unknown;
  vocabulary: UnigramVocabulary;
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA, COLON] = [0x22, 0x5c, 0x5b, 0x5d, 0x2c, 0x3a];
const KEY = '"vocab"';

/**
 * Splits the bytes of a tokenizer.json.
 * @returns undefined if `vocab` is not an array, as in all models but Unigram
 * @throws {SyntaxError} if the array does not consist of pairs of a piece and a score
 */
export function splitTokenizerFile(file: Buffer): SplitTokenizerFile | undefined {
  const start = findArray(file);
  if (start === undefined) return undefined;
  const reader = new PairReader(file, start + 1);
  const trie = new PieceTrie();
  const scores: number[] = [];
  const ends: number[] = [];
  const texts: Uint8Array[] = [];
  let bytes = 0;
  for (let pair = reader.next(); pair !== undefined; pair = reader.next()) {
    trie.add(pair.piece, scores.length);
    scores.push(pair.score);
    const text = Buffer.from(pair.piece);
    texts.push(text);
    bytes += text.byteLength;
    ends.push(bytes);
    // Few large buffers instead of many small ones.
    if (texts.length >= 4096) texts.splice(0, texts.length, Buffer.concat(texts));
  }
  const all = Buffer.concat(texts);
  const settings: unknown = JSON.parse(
    `${file.toString('utf8', 0, start)}[]${file.toString('utf8', reader.at)}`,
  );
  const offsets = Uint32Array.from(ends);
  const pieceOf = (id: number): string | undefined =>
    id >= 0 && id < offsets.length ? all.toString('utf8', offsets[id - 1] ?? 0, offsets[id]) : undefined;
  return { settings, vocabulary: { trie, scores: Float64Array.from(scores), pieceOf } };
}

/** Returns the position of the `[` of `"vocab": [`. No string contains it, because its quotes would be escaped. */
function findArray(file: Buffer): number | undefined {
  for (let at = file.indexOf(KEY); at >= 0; at = file.indexOf(KEY, at + 1)) {
    const colon = skipBlanks(file, at + KEY.length);
    if (file[colon] !== COLON) continue;
    const value = skipBlanks(file, colon + 1);
    return file[value] === OPEN ? value : undefined;
  }
  return undefined;
}

/** Reads `["piece", score]` pairs up to the end of their array. */
class PairReader {
  readonly #file: Buffer;
  /** Position of the next byte; after the last pair, the position after the array. */
  at: number;

  constructor(file: Buffer, at: number) {
    this.#file = file;
    this.at = at;
  }

  next(): { piece: string; score: number } | undefined {
    this.at = skipBlanks(this.#file, this.at);
    if (this.#file[this.at] === COMMA) this.at = skipBlanks(this.#file, this.at + 1);
    if (this.#file[this.at] === CLOSE) {
      this.at += 1;
      return undefined;
    }
    this.#expect(OPEN);
    const piece = this.#string();
    this.#expect(COMMA);
    const score = this.#number();
    this.#expect(CLOSE);
    return { piece, score };
  }

  #string(): string {
    this.#expect(QUOTE);
    const start = this.at;
    let isEscaped = false;
    while (this.at < this.#file.length && this.#file[this.at] !== QUOTE) {
      if (this.#file[this.at] === BACKSLASH) {
        isEscaped = true;
        this.at += 1;
      }
      this.at += 1;
    }
    const raw = this.#file.toString('utf8', start, this.at);
    this.#expect(QUOTE);
    return isEscaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  #number(): number {
    const start = skipBlanks(this.#file, this.at);
    const end = this.#file.indexOf(CLOSE, start);
    const text = this.#file.toString('latin1', start, end < 0 ? this.#file.length : end);
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      throw new SyntaxError(`"${text.slice(0, 40)}" at byte ${start} is not a score`);
    }
    this.at = end;
    return value;
  }

  #expect(byte: number): void {
    this.at = skipBlanks(this.#file, this.at);
    if (this.#file[this.at] !== byte) {
      throw new SyntaxError(`expected ${String.fromCharCode(byte)} at byte ${this.at} of the vocabulary`);
    }
    this.at += 1;
  }
}

function skipBlanks(file: Buffer, from: number): number {
  let at = from;
  while (file[at] === 0x20 || file[at] === 0x0a || file[at] === 0x0d || file[at] === 0x09) at += 1;
  return at;
}
