/**
 * Splits a text over the token limit into chunks within it, at sentence boundaries; the embedder embeds each
 * chunk and takes the mean.
 *
 * Decision: docs/decisions/0093.
 */

import type { ChunkSpan, Truncate } from '@embedmill/contract';

/** A part of a text, as offsets in UTF-16 units, and its token ids. */
export interface Chunk {
  start: number;
  end: number;
  ids: number[];
}

/** A chunk with its text. */
export interface TextChunk extends ChunkSpan {
  text: string;
}

/** Returns the token ids of a part of a text, without special tokens. */
export type Tokenize = (text: string) => number[];

/** Sentence segmentation by Unicode rules, which include 。！？ and do not depend on the locale. */
const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });
/** Word segmentation, which finds words of Chinese, Japanese and Thai without spaces. */
const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

/**
 * Search distance around the middle of an endless sentence, so that the segmenter does not read a megabyte.
 */
const MIDDLE_UNITS = 128;

/**
 * Yields the chunks of a text in order, each of at most `room` tokens; only parts without tokens are left
 * out. A chunk holds as many whole sentences as fit; a sentence over the limit is halved between two words.
 * The generator is lazy: a text of a megabyte costs no more than the chunks that are read.
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

/** Yields sentences, and parts of sentences with more than `room` tokens; none is empty. */
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

/**
 * Returns a position between two words near the middle, else within the word; undefined for a single
 * character.
 */
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
 * Returns the first `maxChunks` chunks, or the last ones with truncation at the start.
 * @param units length of the whole text in UTF-16 units
 * @returns the chunks, and `lostTokens` of the others: estimated from the unread units if the end is dropped
 */
export function takeChunks(
  chunks: Iterable<Chunk>,
  maxChunks: number,
  truncate: Truncate,
  units: number,
): { chunks: Chunk[]; lostTokens: number } {
  if (truncate === 'start') {
    const all = [...chunks];
    const dropped = all.slice(0, Math.max(0, all.length - maxChunks));
    return { chunks: all.slice(dropped.length), lostTokens: tokensIn(dropped) };
  }
  const taken: Chunk[] = [];
  for (const chunk of chunks) {
    if (taken.length === maxChunks) {
      const unread = (units - chunk.start) * (tokensIn(taken) / chunk.start);
      return { chunks: taken, lostTokens: Math.ceil(unread) };
    }
    taken.push(chunk);
  }
  return { chunks: taken, lostTokens: 0 };
}

/** Returns the offsets and token count of a chunk. */
export function spanOf({ start, end, ids }: Chunk): ChunkSpan {
  return { start, end, tokens: ids.length };
}

function tokensIn(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { ids }) => sum + ids.length, 0);
}
