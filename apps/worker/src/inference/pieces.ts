/** How requests become pieces; used by the pool for every new request. */

import type { TextInput } from '@embedmill/contract';
import { encodeBatchPayload } from '@embedmill/core/batch';
import { LIVES_OF_A_WHOLE_PIECE } from './bisect.ts';
import type { EmbedRequest, Piece } from './request.ts';

/** Texts of an interactive call that go to a thread together: small, so that long calls spread evenly and short ones slip in. */
const TEXTS_PER_INTERACTIVE_PIECE = 8;

/** A bulk batch as it came: one piece. */
export function pieceOf(request: EmbedRequest, payload: Uint8Array<ArrayBuffer>): Piece {
  return { request, start: 0, rows: request.terms.rows, payload, lives: LIVES_OF_A_WHOLE_PIECE };
}

/** An interactive call as pieces that `threads` threads can share. */
export function piecesOf(request: EmbedRequest, texts: readonly TextInput[], threads: number): Piece[] {
  const size = Math.min(TEXTS_PER_INTERACTIVE_PIECE, Math.ceil(texts.length / threads));
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, index): Piece => {
    const start = index * size;
    const own = texts.slice(start, start + size);
    return {
      request,
      start,
      rows: own.length,
      payload: encodeBatchPayload(own),
      lives: LIVES_OF_A_WHOLE_PIECE,
    };
  });
}
