/** Cuts requests into pieces; the pool calls it for every new request. */

import type { TextInput } from '@embedmill/contract';
import { encodeBatchPayload } from '@embedmill/core/batch';
import { ATTEMPTS_PER_WHOLE_PIECE } from './bisect.ts';
import type { Piece, PoolRequest } from './request.ts';

/**
 * Maximum texts per interactive piece: small, so that long calls spread evenly over threads and short ones
 * wait little.
 */
const TEXTS_PER_INTERACTIVE_PIECE = 8;

/** Returns a bulk batch as one piece. */
export function pieceOf(request: PoolRequest, payload: Uint8Array<ArrayBuffer>): Piece {
  return { request, start: 0, rows: request.options.rows, payload, attempts: ATTEMPTS_PER_WHOLE_PIECE };
}

/** Cuts an interactive call into pieces that `threads` threads can share. */
export function piecesOf(request: PoolRequest, texts: readonly TextInput[], threads: number): Piece[] {
  const size = Math.min(TEXTS_PER_INTERACTIVE_PIECE, Math.ceil(texts.length / threads));
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, index): Piece => {
    const start = index * size;
    const own = texts.slice(start, start + size);
    return {
      request,
      start,
      rows: own.length,
      payload: encodeBatchPayload(own),
      attempts: ATTEMPTS_PER_WHOLE_PIECE,
    };
  });
}
