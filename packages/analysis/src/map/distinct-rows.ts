/** Finds the different vectors of a matrix, so that equal ones are placed once. */

import type { Matrix } from '../cluster/types.ts';

/** The rows with different vectors. */
export interface DistinctRows {
  /** The first row with each vector, ascending. */
  readonly rows: Int32Array;
  /** For each row of the matrix, the index in `rows` of its vector; −1 for a row without a vector. */
  readonly firstOf: Int32Array;
}

/** Compares the rows bit for bit. */
export function distinctRows({ rows, dim, vectors }: Matrix): DistinctRows {
  const bits = new Uint32Array(vectors.buffer, vectors.byteOffset, rows * dim);
  const firstOf = new Int32Array(rows).fill(-1);
  const distinct: number[] = [];
  // The last distinct vector with a hash, and for each distinct vector the one before with the same hash.
  const last = new Map<number, number>();
  const before: number[] = [];
  for (let row = 0; row < rows; row++) {
    const start = row * dim;
    if (!isVector(vectors, start, dim)) continue;
    const hash = hashOf(bits, start, dim);
    let same = last.get(hash) ?? -1;
    while (same !== -1 && !isEqual(bits, start, distinct[same]! * dim, dim)) same = before[same]!;
    if (same === -1) {
      same = distinct.length;
      distinct.push(row);
      before.push(last.get(hash) ?? -1);
      last.set(hash, same);
    }
    firstOf[row] = same;
  }
  return { rows: Int32Array.from(distinct), firstOf };
}

function isVector(vectors: Float32Array, start: number, dim: number): boolean {
  let squares = 0;
  for (let i = start; i < start + dim; i++) squares += vectors[i]! * vectors[i]!;
  return squares > 0 && squares < Number.POSITIVE_INFINITY;
}

/** FNV-1a over 32-bit words. */
function hashOf(bits: Uint32Array, start: number, dim: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < start + dim; i++) {
    hash = Math.imul(hash ^ bits[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}

function isEqual(bits: Uint32Array, a: number, b: number, dim: number): boolean {
  for (let i = 0; i < dim; i++) if (bits[a + i] !== bits[b + i]) return false;
  return true;
}
