/** Serves a byte range of a run's .npy file from its stored batches. */

import { CorruptError, type Dtype } from '@embedmill/contract';
import { DTYPE_BYTES, NPY_HEADER_BYTES, npyHeader, numbersOf } from '@embedmill/core/formats';
import { type Run, readResults, resultsShape } from '@embedmill/core/runs';
import type { ByteRange } from '../http/byte-range.ts';

/**
 * The bytes of a range of a run's .npy file. Only batches that overlap the range are read.
 * @throws {CorruptError} `corrupt-files` when the run has fewer rows than its ledger says
 */
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
  throw new CorruptError('corrupt-files', `the results end ${left} bytes before the requested range does`);
}
