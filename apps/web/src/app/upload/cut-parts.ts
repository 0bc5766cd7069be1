/**
 * Cuts a file into parts that end where a record ends; the upload sends them, and cuts the same way when it
 * goes on.
 */

import type { FileKind } from './file-kind.ts';

/** Above the producer's limit for bodies that it refuses when it is behind: parts are slowed down instead. */
const PART_BYTES = 2 * 1024 * 1024;

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** One part: its number and its bytes, with the header line in front of it where the format has one. */
export interface FilePart {
  part: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A line feed ends a record unless it stands inside of quotes, which is so after an odd number of them (RFC
 * 4180: a quote within quotes is doubled). JSON lines hold no line feed at all.
 *
 * @param partBytes a part ends with the first record that reaches this size
 */
export async function* cutParts(
  chunks: ReadableStream<Uint8Array>,
  { format }: Pick<FileKind, 'format'>,
  partBytes: number = PART_BYTES,
): AsyncGenerator<FilePart> {
  const hasHeader = format !== 'jsonl';
  let header: Uint8Array<ArrayBuffer> | null = hasHeader ? null : new Uint8Array(0);
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  let isQuoted = false;
  let part = 0;
  const take = (): Uint8Array<ArrayBuffer> => {
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
        if (hasHeader && byte === QUOTE) isQuoted = !isQuoted;
        if (byte !== LINE_FEED || isQuoted) continue;
        const size = keptBytes + i + 1 - start;
        if (header !== null && size < partBytes) continue;
        kept.push(value.subarray(start, i + 1));
        start = i + 1;
        const bytes = take();
        if (header === null) header = bytes;
        else yield { part: part++, bytes: concat([header, bytes]) };
      }
      // A copy: the stream may use its buffer again.
      kept.push(value.slice(start));
      keptBytes += value.length - start;
    }
  } finally {
    await reader.cancel();
  }
  const rest = take();
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
