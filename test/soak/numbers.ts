/** The rows of a soak, and the check that each came back once and in order. */

import { NPY_HEADER_BYTES } from '@embedmill/core/formats';
import { PLAIN_TEXTS } from '../support/texts.ts';

/** Maximum number that is exact in a float32. */
export const MAX_ROWS = 2 ** 24;

const ROWS_PER_CHUNK = 1000;

/** Rows from `start` to before `end` as a stream of JSON lines, generated while it is read. */
export function rowStream(start: number, end: number): ReadableStream<Uint8Array> {
  let next = start;
  return new ReadableStream({
    pull(stream) {
      const from = next;
      next = Math.min(end, from + ROWS_PER_CHUNK);
      stream.enqueue(Buffer.from(linesFrom(from, next)));
      if (next === end) stream.close();
    },
  });
}

function linesFrom(start: number, end: number): string {
  let lines = '';
  for (let i = start; i < end; i++)
    lines += `{"id":"n${i}","text":"${PLAIN_TEXTS[i % PLAIN_TEXTS.length]} ${i}"}\n`;
  return lines;
}

/**
 * Faults of an .npy file whose row `i` should begin with the number `i`: a lost, duplicated or moved row
 * shifts or breaks the numbers. At most ten sentences.
 */
export async function faultsOfNumbers(
  chunks: AsyncIterable<Uint8Array>,
  rows: number,
  dim: number,
): Promise<string[]> {
  const faults: string[] = [];
  let skip = NPY_HEADER_BYTES;
  let rest = Buffer.alloc(0);
  let row = 0;
  for await (const chunk of chunks) {
    const skipped = Math.min(skip, chunk.byteLength);
    skip -= skipped;
    const bytes = Buffer.concat([rest, chunk.subarray(skipped)]);
    let at = 0;
    for (; at + dim * 4 <= bytes.byteLength; at += dim * 4, row++) {
      const number = bytes.readFloatLE(at);
      if (number !== row && faults.length < 10) faults.push(`row ${row} has the vector of row ${number}`);
    }
    rest = bytes.subarray(at);
  }
  if (row !== rows || rest.byteLength > 0)
    faults.push(`${rows} rows were sent, ${row} came back, and ${rest.byteLength} bytes`);
  return faults;
}
