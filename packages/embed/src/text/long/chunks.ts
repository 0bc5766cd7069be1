/**
 * Splits a text that is longer than the model reads into chunks that it does read, at ends of sentences; the embedder
 * embeds each and takes their mean.
 */

import type { ChunkSpan, Truncate } from '@embedmill/contract';

/** A part of a text, in UTF-16 units of it, and the ids of its tokens. */
export interface Chunk {
  start: number;
  end: number;
  ids: number[];
}

/** A chunk with its text. */
export interface TextChunk extends ChunkSpan {
  text: string;
}

/** Ids of a part of a text, without special tokens. */
export type Tokenize = (text: string) => number[];

/** Unicode's rules for sentences know 。！？ as well as full stops; the locale changes nothing in them. */
const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });
/** Knows words of Chinese, Japanese and Thai, which no blank sets apart. */
const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

/** Where the middle of an endless sentence is looked for, so that no dictionary has to read a megabyte. */
const MIDDLE_UNITS = 128;

/**
 * The chunks of a text, in order and without a gap but for blank parts, each of at most `room` tokens. Sentences are kept
 * together as far as they fit; one that does not fit at all is halved between two words. Read lazily: a text of a
 * megabyte costs no more than the chunks that are asked for.
 */
export function* chunksOf(text: string, room: number, tokenize: Tokenize): Generator<Chunk> {
  let open: Chunk | undefined;
  for (const piece of piecesOf(text, room, tokenize)) {
    if (open !== undefined && open.ids.length + piece.ids.length <= room) {
      open.end = piece.end;
      for (const id of piece.ids) open.ids.push(id);
      continue;
    }
    if (open !== undefined) yield open;
    open = piece;
  }
  if (open !== undefined) yield open;
}

/** Sentences, and parts of those that have more than `room` tokens; none is empty. */
function* piecesOf(text: string, room: number, tokenize: Tokenize): Generator<Chunk> {
  for (const { index, segment } of SENTENCES.segment(text)) {
    yield* fittingParts(text, index, index + segment.length, room, tokenize);
  }
}

function* fittingParts(
  text: string,
  start: number,
  end: number,
  room: number,
  tokenize: Tokenize,
): Generator<Chunk> {
  const ids = tokenize(text.slice(start, end));
  if (ids.length === 0) return;
  const middle = middleOf(text, start, end);
  if (ids.length <= room || middle === undefined) {
    yield { start, end, ids: ids.slice(0, room) };
    return;
  }
  yield* fittingParts(text, start, middle, room, tokenize);
  yield* fittingParts(text, middle, end, room, tokenize);
}

/** A place between two words near the middle, or within a word that fills it all; undefined in a single character. */
function middleOf(text: string, start: number, end: number): number | undefined {
  const middle = (start + end) >> 1;
  const from = Math.max(start, middle - MIDDLE_UNITS);
  const to = Math.min(end, middle + MIDDLE_UNITS);
  const word = WORDS.segment(text.slice(from, to)).containing(middle - from);
  if (word !== undefined) {
    const before = from + word.index;
    if (before > start) return before;
    const after = before + word.segment.length;
    if (after < end) return after;
  }
  const isInsidePair = /^[\udc00-\udfff]/.test(text.slice(middle, middle + 1));
  const at = isInsidePair ? middle - 1 : middle;
  return at > start && at < end ? at : undefined;
}

/**
 * The chunks that `max-chunks` leaves: the first `most`, or the last ones when the start is what may be dropped.
 * @returns `lostTokens`: tokens in the other chunks; estimated from the units that were not read, when the end is dropped
 */
export function takeChunks(
  chunks: Iterable<Chunk>,
  most: number,
  truncate: Truncate,
  units: number,
): { chunks: Chunk[]; lostTokens: number } {
  if (truncate === 'start') {
    const all = [...chunks];
    const dropped = all.slice(0, Math.max(0, all.length - most));
    return { chunks: all.slice(dropped.length), lostTokens: tokensIn(dropped) };
  }
  const taken: Chunk[] = [];
  for (const chunk of chunks) {
    if (taken.length === most) {
      const unread = (units - chunk.start) * (tokensIn(taken) / chunk.start);
      return { chunks: taken, lostTokens: Math.ceil(unread) };
    }
    taken.push(chunk);
  }
  return { chunks: taken, lostTokens: 0 };
}

/** A chunk as it is told. */
export function spanOf({ start, end, ids }: Chunk): ChunkSpan {
  return { start, end, tokens: ids.length };
}

function tokensIn(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { ids }) => sum + ids.length, 0);
}
