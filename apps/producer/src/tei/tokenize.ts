/** Tokenizes in slices, so that a long call delays neither the producer nor interactive texts by more than a slice. */

import type { TextToken } from '@embedmill/contract';
import type { InteractiveLane } from '@embedmill/core/redis';

/** Characters per slice: tokenizing them and writing their tokens takes a few milliseconds. */
export const SLICE_CHARS = 16_384;

/** A space between two ASCII letters, where no token of the published models continues. */
const CUT = /[A-Za-z] (?=[A-Za-z])/;

/** A text or a part of it. */
interface Piece {
  text: string;
  isFirst: boolean;
  isLast: boolean;
}

/**
 * The response to a call of `/tokenize` as JSON, in one chunk per slice. A part of a text ends before a space; where
 * there is none in 16,384 characters, the tokens at a seam may differ from those of the whole text.
 */
export async function* tokenizeInSlices(
  lane: InteractiveLane,
  texts: readonly string[],
  { specialTokens }: { specialTokens: boolean },
): AsyncGenerator<Uint8Array> {
  let json = '[';
  let hasTexts = false;
  let hasTokens = false;
  for (const slice of slicesOf(texts)) {
    const tokens = await lane.tokenize(
      slice.map(({ text }) => text),
      { specialTokens },
    );
    for (const [i, piece] of slice.entries()) {
      if (piece.isFirst) {
        json += hasTexts ? ',[' : '[';
        hasTexts = true;
        hasTokens = false;
      }
      for (const token of ownTokens(tokens[i] ?? [], piece)) {
        // Token positions are unknown; the original server also sends null for [CLS] and [SEP].
        json += `${hasTokens ? ',' : ''}${JSON.stringify({ ...token, start: null, stop: null })}`;
        hasTokens = true;
      }
      if (piece.isLast) json += ']';
    }
    yield Buffer.from(json);
    json = '';
  }
  yield Buffer.from(`${json}]`);
}

/** The special tokens around a text belong to its first and its last part. */
function ownTokens(tokens: readonly TextToken[], { isFirst, isLast }: Piece): readonly TextToken[] {
  const start = isFirst ? 0 : tokens.findIndex(({ special }) => !special);
  const end = isLast ? tokens.length : tokens.findLastIndex(({ special }) => !special) + 1;
  return start === -1 ? [] : tokens.slice(start, end);
}

/** The texts and parts of texts, grouped into slices. */
function* slicesOf(texts: readonly string[]): Generator<Piece[]> {
  let slice: Piece[] = [];
  let chars = 0;
  for (const text of texts) {
    for (const piece of piecesOf(text)) {
      if (chars + piece.text.length > SLICE_CHARS && slice.length > 0) {
        yield slice;
        slice = [];
        chars = 0;
      }
      slice.push(piece);
      chars += piece.text.length;
    }
  }
  if (slice.length > 0) yield slice;
}

function* piecesOf(given: string): Generator<Piece> {
  // A first part without tokens would hide which special tokens precede the text.
  const text = given.length > SLICE_CHARS ? given.trimStart() : given;
  let start = 0;
  while (text.length - start > SLICE_CHARS) {
    const end = cutAfter(text, start);
    yield { text: text.slice(start, end), isFirst: start === 0, isLast: false };
    start = end;
  }
  yield { text: text.slice(start), isFirst: start === 0, isLast: true };
}

/** A position in the second half of the slice that starts here. */
function cutAfter(text: string, start: number): number {
  const from = start + SLICE_CHARS / 2;
  const limit = start + SLICE_CHARS;
  const found = CUT.exec(text.slice(from, limit));
  if (found !== null) return from + found.index + 1;
  return /[\udc00-\udfff]/.test(text[limit]!) ? limit - 1 : limit;
}
