/**
 * Runs static models in the layout of model2vec: the vector of a text is the mean of the rows of its tokens.
 *
 * Sums are float64 in the order of the tokens, so the bytes of a vector are the same on every CPU: IEEE 754 defines
 * every step. The addon computes the same bytes as JavaScript, which has no fused multiply-add.
 *
 * Decision: docs/decisions/0171.
 */

import { embedStatic, hasEngine } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import { packOf, type Runner } from './runner.ts';
import { readStaticTable, type StaticTable } from './static-table.ts';

/** Revision of the arithmetic, part of the fingerprint. */
export const STATIC_REVISION = 1;

/** Tokens per run: an interactive text waits for about half a millisecond. */
const PACK_TOKENS = 4096;

const NOT_FINITE = 'the rows of its tokens add up to no finite vector';

/** A table of token vectors in memory. */
export class StaticRunner implements Runner {
  readonly packTokens = PACK_TOKENS;
  readonly #table: StaticTable;
  readonly #sum: Float64Array;

  readonly #isNative: boolean;

  private constructor(table: StaticTable, isNative: boolean) {
    this.#table = table;
    this.#isNative = isNative;
    this.#sum = new Float64Array(table.dim);
  }

  /**
   * @param options.native whether the addon computes if there is one. Default true; the bytes are the same
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async open(
    { modelPath, dim }: Pick<PreparedModel, 'modelPath' | 'dim'>,
    { native = true }: { native?: boolean } = {},
  ): Promise<StaticRunner> {
    const table = await readStaticTable(modelPath);
    if (table.dim === dim) return new StaticRunner(table, native && hasEngine());
    throw new EmbedError('MODEL_INVALID', `"${modelPath}" has ${table.dim} dimensions, expected ${dim}`);
  }

  run(texts: readonly (readonly number[])[], target: Float32Array, offset: number): void {
    const { dim, rows, rowOf, weights } = this.#table;
    if (this.#isNative && rowOf === undefined && weights === undefined) {
      const failed = embedStatic(rows, dim, packOf(texts), target, offset);
      if (failed >= 0) throw new Error(NOT_FINITE);
      return;
    }
    for (const [row, ids] of texts.entries()) this.#embed(ids, target, offset + row * dim);
  }

  close(): void {}

  /** The same steps as native/static.cpp. */
  #embed(ids: readonly number[], target: Float32Array, offset: number): void {
    const { dim, rows, rowOf, weights } = this.#table;
    const sum = this.#sum.fill(0);
    for (const id of ids) {
      const row = rowOf === undefined ? id : rowOf[id];
      const start = row === undefined ? rows.length : row * dim;
      if (start >= rows.length) throw new Error(`token id ${id} has no row in the table`);
      const weight = weights === undefined ? 1 : weights[id]!;
      for (let i = 0; i < dim; i++) sum[i]! += weight * rows[start + i]!;
    }
    const squares = [0, 0, 0, 0];
    for (let i = 0; i < dim; i++) squares[i % 4]! += sum[i]! * sum[i]!;
    const length = Math.sqrt(squares[0]! + squares[1]! + (squares[2]! + squares[3]!));
    if (!(length > 0 && length < Number.POSITIVE_INFINITY)) throw new Error(NOT_FINITE);
    for (let i = 0; i < dim; i++) target[offset + i] = sum[i]! / length;
  }
}
