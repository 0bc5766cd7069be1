/**
 * Vectors as 16-bit integers in memory, for a fast scan that finds the candidates of an exact search.
 *
 * A float x is stored as round(32,767 · x): half the memory of floats, and eight products per instruction. The vectors
 * and the query have length 1, so no sum of products exceeds 31 bits. How far an integer score may be from the exact
 * one is known from the largest rounding error among the rows, so all rows that could be among the nearest are
 * candidates. Decision: docs/decisions/0228-sixteen-bit-scan-with-exact-scores.md.
 */

import { allocateMemory, type ScanFunction, STEP_INTEGERS, scanFunction } from './dot-module.ts';
import { type ScoredRow, TopRows } from './top-rows.ts';

/** Stored value of the float 1. */
const SCALE = 32_767;

/** Maximum bytes of vectors per WebAssembly memory, which addresses 4 GiB. */
const BLOCK_BYTES = 1024 * 1024 * 1024;

/** Rows per step of a scan: about 2 ms for 384 numbers. */
const STEP_ROWS = 16_384;

/** Candidates beyond the wanted ones, at most: rows whose integer score is nearly that of the last one. */
const MAX_DOUBTFUL = 30;

/** Memory per row besides its vector. */
const BYTES_BESIDE_VECTOR = 1;

/** A range of rows in one memory. */
interface Block {
  readonly firstRow: number;
  readonly rows: number;
  /** The memory: the query, the scores of one step, then the vectors. */
  readonly integers: Int16Array;
  readonly scan: ScanFunction;
}

/** Packed vectors of a known number of rows. */
export class PackedVectors {
  readonly #dim: number;
  readonly #rowBytes: number;
  readonly #headBytes: number;
  readonly #present: Uint8Array;
  readonly #blocks: Block[] = [];
  #rows = 0;
  /** Largest distance of a stored vector from its floats. */
  #maxError = 0;

  /** Allocates the memory of all rows. @throws {RangeError} if there is none */
  constructor(rows: number, dim: number) {
    this.#dim = dim;
    this.#rowBytes = rowBytesOf(dim);
    this.#headBytes = this.#rowBytes + 4 * STEP_ROWS;
    this.#present = new Uint8Array(rows);
    const blockRows = Math.floor(BLOCK_BYTES / this.#rowBytes);
    for (let firstRow = 0; firstRow < rows; firstRow += blockRows) {
      const count = Math.min(blockRows, rows - firstRow);
      const memory = allocateMemory(this.#headBytes + count * this.#rowBytes);
      const integers = new Int16Array(memory.buffer);
      this.#blocks.push({ firstRow, rows: count, integers, scan: scanFunction(memory) });
    }
  }

  /** Estimated memory in bytes of this many rows. */
  static bytesOf(rows: number, dim: number): number {
    return rows * (rowBytesOf(dim) + BYTES_BESIDE_VECTOR) + rowBytesOf(dim) + 4 * STEP_ROWS;
  }

  /**
   * Appends rows; blocks for about 1 µs per row of 384 numbers.
   * @param vectors rows × dim floats
   * @param present 1 per row with a vector
   */
  add({ vectors, present }: { vectors: Float32Array; present: Uint8Array }): void {
    for (let n = 0; n < present.length; n++) {
      const row = this.#rows++;
      if (present[n] !== 1) continue;
      this.#present[row] = 1;
      const { firstRow, integers } = this.#blocks.find((block) => row < block.firstRow + block.rows)!;
      const start = this.#headBytes + (row - firstRow) * this.#rowBytes;
      this.#maxError = Math.max(this.#maxError, pack(vectors, n * this.#dim, this.#dim, integers, start / 2));
    }
  }

  /**
   * Scans all rows in steps of a few milliseconds; yields the share of the rows done. Returns the `count` best rows
   * with a vector by their integer scores, best first, and up to 30 more that may belong to them.
   * @param query of length 1
   * @param mask 1 for each row that may be found; `null`: all rows
   */
  *nearest(
    query: Float32Array,
    count: number,
    mask: Uint8Array | null = null,
  ): Generator<number, ScoredRow[]> {
    const best = new TopRows(count + MAX_DOUBTFUL);
    let queryError = 0;
    for (const { firstRow, rows, integers, scan } of this.#blocks) {
      const scores = new Int32Array(integers.buffer, this.#rowBytes, STEP_ROWS);
      for (let from = 0; from < rows; from += STEP_ROWS) {
        const stepRows = Math.min(STEP_ROWS, rows - from);
        // Another search may have used the same memory since the last step.
        queryError = pack(query, 0, this.#dim, integers, 0);
        scan(0, this.#headBytes + from * this.#rowBytes, stepRows, this.#rowBytes, this.#rowBytes);
        let { bar } = best;
        for (let n = 0; n < stepRows; n++) {
          if (!(scores[n]! > bar)) continue;
          const row = firstRow + from + n;
          if (this.#present[row] !== 1 || (mask !== null && mask[row] !== 1)) continue;
          best.offer(row, scores[n]!);
          ({ bar } = best);
        }
        yield (firstRow + from + stepRows) / this.#present.length;
      }
    }
    const found = best.rows.map(({ row, score }) => ({ row, score: score / SCALE ** 2 }));
    const error = this.#maxError + queryError * (1 + this.#maxError);
    const least = found.length > count ? found[count - 1]!.score - 2 * error : Number.NEGATIVE_INFINITY;
    return found.filter(({ score }) => score >= least);
  }
}

function rowBytesOf(dim: number): number {
  return 2 * Math.ceil(dim / STEP_INTEGERS) * STEP_INTEGERS;
}

/** Writes the integers of a vector; returns its distance from them. */
function pack(floats: Float32Array, from: number, dim: number, to: Int16Array, start: number): number {
  let squares = 0;
  for (let i = 0; i < dim; i++) {
    const scaled = floats[from + i]! * SCALE;
    const rounded = (scaled + (scaled < 0 ? -0.5 : 0.5)) | 0;
    to[start + i] = rounded;
    const error = scaled - rounded;
    squares += error * error;
  }
  return Math.sqrt(squares) / SCALE;
}
