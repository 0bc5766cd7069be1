/** Splits a file into parts at record boundaries; a resumed upload gets the same parts. */

import type { UploadFileType } from './file-type.ts';

/** Above the limit up to which an overloaded producer rejects bodies: larger ones are slowed down instead. */
const PART_BYTES = 2 * 1024 * 1024;

const LINE_FEED = 0x0a;

/** Number of a part, from 0, and its bytes; parts of a file with a header begin with it. */
export interface FilePart {
  part: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Yields the parts of a file in order. A line feed ends a record unless it is quoted, which is the case after
 * an odd number of quotes (RFC 4180: a quote inside a quoted field is doubled). Without a quote every line feed
 * ends a record, as in JSON Lines.
 *
 * @param partBytes a part ends with the record that reaches this size
 */
export async function* splitFile(
  chunks: ReadableStream<Uint8Array>,
  { hasHeader, quote }: Pick<UploadFileType, 'hasHeader' | 'quote'>,
  partBytes: number = PART_BYTES,
): AsyncGenerator<FilePart> {
  const mark = quote?.charCodeAt(0);
  let header: Uint8Array<ArrayBuffer> | null = hasHeader ? null : new Uint8Array(0);
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  let isQuoted = false;
  let part = 0;
  const takeKept = (): Uint8Array<ArrayBuffer> => {
    const bytes = concat(kept);
    kept = [];
    keptBytes = 0;
    return bytes;
  };
  const reader = chunks.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      let start = 0;
      for (let i = 0; i < value.length; i++) {
        const byte = value[i];
        if (byte === mark) isQuoted = !isQuoted;
        if (byte !== LINE_FEED || isQuoted) continue;
        const size = keptBytes + i + 1 - start;
        if (header !== null && size < partBytes) continue;
        kept.push(value.subarray(start, i + 1));
        start = i + 1;
        const bytes = takeKept();
        if (header === null) header = bytes;
        else yield { part: part++, bytes: concat([header, bytes]) };
      }
      // Copied, because the stream may reuse its buffer.
      kept.push(value.slice(start));
      keptBytes += value.length - start;
    }
  } finally {
    await reader.cancel();
  }
  const rest = takeKept();
  if (rest.length > 0) yield { part: part++, bytes: concat([header ?? new Uint8Array(0), rest]) };
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
