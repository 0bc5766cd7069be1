/** Vectors of static models in C++. */
import type { Pack } from './model.ts';
import { callNative, loadEngine } from './native.ts';

/** Whether this machine has the addon. */
export function hasEngine(): boolean {
  try {
    loadEngine();
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes one vector of length 1 per text to `target`, from `offset` on: the normalized sum of the rows of its tokens, in
 * float64 and in their order. The bytes are the same on every CPU.
 *
 * @param rows a table with one row of `dim` floats per token id
 * @returns the index of the first text without a finite vector, at which it stops; -1 if there is none
 * @throws EngineError `input-invalid` for an id beyond the table, or a target that is too small
 */
export function embedStatic(
  rows: Float32Array,
  dim: number,
  { ids, lengths }: Pack,
  target: Float32Array,
  offset = 0,
): number {
  return callNative(() => loadEngine().embedStatic(rows, dim, ids, lengths, target, offset));
}
