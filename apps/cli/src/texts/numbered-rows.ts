/** Remembers which rows of a file of vectors have one, as ids may repeat; `cluster` and `dedupe` call it. */

import type { VectorFile } from '../vectors/types.ts';

/** The same file, and the numbers of the rows with a vector, from 0, as far as it was read. */
export function numberRows(file: VectorFile): { file: VectorFile; numbers: readonly number[] } {
  const numbers: number[] = [];
  async function* read() {
    let first = 0;
    for await (const slice of file.read()) {
      for (const [row, mark] of slice.present.entries()) if (mark === 1) numbers.push(first + row);
      first += slice.ids.length;
      yield slice;
    }
  }
  return { file: { ...file, read }, numbers };
}
