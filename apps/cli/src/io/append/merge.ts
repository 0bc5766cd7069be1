/** Merges the vectors of a run with those copied from the old output, in the order of the row spool. */

import { closeSync, openSync, readSync } from 'node:fs';
import { CorruptError, type VectorRows } from '@embedmill/contract';
import { DIGEST_BYTES } from './digest.ts';
import type { RowDigests } from './row-index.ts';
import type { RowBlock } from './row-spool.ts';

/** The old vectors: float32 of all rows in a file, see `OldOutput.copyVectors`. */
export interface CopiedVectors {
  readonly path: string;
  readonly dim: number;
}

/**
 * The rows of the output. The run has the rows to embed, in the order of the blocks, with `old.dim` floats each.
 * @throws {CorruptError} `wrong-output` if the run has fewer rows
 */
export async function* mergeRows(
  blocks: AsyncIterable<RowBlock>,
  run: AsyncIterable<VectorRows>,
  { path, dim }: CopiedVectors,
): AsyncGenerator<VectorRows> {
  const fresh = new RowCursor(run);
  const file = openSync(path, 'r');
  try {
    for await (const { rows, ids, oldRows } of blocks) {
      const vectors = new Float32Array(rows * dim);
      const bytes = new Uint8Array(vectors.buffer);
      const present = new Uint8Array(rows);
      for (let row = 0; row < rows; ) {
        const old = oldRows[row] as number;
        if (old === 0) {
          present[row] = (await fresh.next(vectors.subarray(row * dim, (row + 1) * dim))) ? 1 : 0;
          row += 1;
          continue;
        }
        let count = 1;
        while (row + count < rows && oldRows[row + count] === old + count) count += 1;
        const part = bytes.subarray(row * dim * 4, (row + count) * dim * 4);
        readFully(file, part, (old - 1) * dim * 4);
        present.fill(1, row, row + count);
        row += count;
      }
      yield { ids, dim, vectors, present };
    }
  } finally {
    closeSync(file);
    await fresh.close();
  }
}

/**
 * The digests for the index of an output: zeros as text digest of rows without a vector.
 * @param slices the rows of the output, in the order of the blocks
 */
export async function* digestsOfPresent(
  blocks: AsyncIterable<RowBlock>,
  slices: AsyncIterable<Pick<VectorRows, 'present'>>,
): AsyncGenerator<RowDigests> {
  const source = slices[Symbol.asyncIterator]();
  let present: Uint8Array = new Uint8Array();
  let at = 0;
  try {
    for await (const { rows, textDigests, idDigests } of blocks) {
      for (let row = 0; row < rows; row++) {
        while (at === present.length) {
          const { done, value } = await source.next();
          if (done) throw new CorruptError('wrong-output', 'the output has fewer rows than its index');
          [present, at] = [value.present, 0];
        }
        if (present[at++] !== 1) textDigests.fill(0, row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
      }
      yield { textDigests, idDigests };
    }
    // The source ends only after a request beyond its last row.
    for (let next = await source.next(); next.done !== true; next = await source.next());
  } finally {
    await source.return?.();
  }
}

/** Takes the rows of a run one by one. */
class RowCursor {
  readonly #source: AsyncIterator<VectorRows>;
  #slice: VectorRows | null = null;
  #at = 0;

  constructor(rows: AsyncIterable<VectorRows>) {
    this.#source = rows[Symbol.asyncIterator]();
  }

  /** Copies the next vector into `target`; false if the row has none. */
  async next(target: Float32Array): Promise<boolean> {
    while (this.#slice === null || this.#at === this.#slice.ids.length) {
      const { done, value } = await this.#source.next();
      if (done) throw new CorruptError('wrong-output', 'the producer sent fewer rows than the run has');
      this.#slice = value;
      this.#at = 0;
    }
    const { dim, vectors, present } = this.#slice;
    const row = this.#at++;
    if (present[row] !== 1) return false;
    target.set(vectors.subarray(row * dim, (row + 1) * dim));
    return true;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

function readFully(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(file, bytes, at, bytes.length - at, position + at);
    if (read === 0) throw new Error('internal error: the copied vectors end early');
    at += read;
  }
}
