/** An in-memory vector file. */

import type { VectorRows } from '@embedmill/contract';
import type { VectorFile } from '../../apps/cli/src/io/vectors/types.ts';

/** A vector file with these rows in one slice. */
export function vectorFile(rows: VectorRows): VectorFile {
  return {
    name: 'test.npy',
    rows: rows.ids.length,
    async *read() {
      yield rows;
    },
  };
}
