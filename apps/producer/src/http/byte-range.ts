/** Reads the byte range that a download request asks for. */

import { RequestError } from '@embedmill/contract';
import type { Request, Response } from 'express';

/** Bytes `start` (inclusive) to `end` (exclusive) of a file. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The requested range, or `null` for the whole file: without a range, or if it is unreadable, a list of
 * several, or for a file that has changed since (`If-Range`). RFC 9110, 14.2 permits the whole file in all
 * these cases.
 * @throws {RequestError} `range-not-satisfiable`
 */
export function requestedRange(
  req: Request,
  res: Response,
  totalBytes: number,
  etag: string,
): ByteRange | null {
  const condition = req.get('if-range');
  if (condition !== undefined && condition !== etag) return null;
  const ranges = req.range(totalBytes);
  if (ranges === -1) {
    res.setHeader('Content-Range', `bytes */${totalBytes}`);
    throw new RequestError(
      'range-not-satisfiable',
      `the requested range is outside the file, which has ${totalBytes} bytes`,
      { facts: { totalBytes } },
    );
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  const { start, end } = ranges[0]!;
  return { start, end: end + 1 };
}
