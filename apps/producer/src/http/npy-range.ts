/** Serves a range of a run's .npy file from the batches that hold it; the results route calls it. */

import { CorruptError, type Dtype, RequestError } from '@embedmill/contract';
import { DTYPE_BYTES, NPY_HEADER_BYTES, npyHeader, numbersOf } from '@embedmill/core/formats';
import { type Run, readResults, resultsShape } from '@embedmill/core/runs';
import type { Request, Response } from 'express';

/** Bytes `start` to `end` (not included) of a file. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The range that a request asks for; `null` is the whole file: no range, one that cannot be read, several at once, or
 * one for a file that has changed since (`If-Range`). All these may be answered so (RFC 9110, 14.2).
 * @throws {RequestError} `range-not-satisfiable`
 */
export function rangeOf(req: Request, res: Response, totalBytes: number, etag: string): ByteRange | null {
  const condition = req.get('if-range');
  if (condition !== undefined && condition !== etag) return null;
  const ranges = req.range(totalBytes);
  if (ranges === -1) {
    res.setHeader('Content-Range', `bytes */${totalBytes}`);
    throw new RequestError(
      'range-not-satisfiable',
      `the file has ${totalBytes} bytes, none of them is in the range asked for`,
      { facts: { totalBytes } },
    );
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  const { start, end } = ranges[0]!;
  return { start, end: end + 1 };
}

/** The bytes of a range; only batches that hold some of them are read. */
export async function* npyRange(
  run: Run,
  { start, end }: ByteRange,
  dtype: Dtype,
): AsyncGenerator<Uint8Array> {
  const { rows, dim } = resultsShape(run);
  if (start < NPY_HEADER_BYTES) yield npyHeader([rows, dim], dtype).subarray(start, end);
  const firstByte = Math.max(0, start - NPY_HEADER_BYTES);
  const rowBytes = dim * DTYPE_BYTES[dtype];
  const firstRow = Math.floor(firstByte / rowBytes);
  let skipped = firstByte - firstRow * rowBytes;
  let left = end - Math.max(start, NPY_HEADER_BYTES);
  if (left <= 0) return;
  for await (const { vectors } of readResults(run, firstRow)) {
    const numbers = numbersOf(vectors, dim, dtype);
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const chunk = bytes.subarray(skipped, skipped + left);
    skipped = 0;
    left -= chunk.byteLength;
    yield chunk;
    if (left === 0) return;
  }
  throw new CorruptError('corrupt-files', `the run ends ${left} bytes before the range asked for does`);
}
