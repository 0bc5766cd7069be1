/** A vector file in memory, for tests of readers. */

import type { VectorRows } from '@embedmill/contract';
import type { VectorFile } from '../../apps/cli/src/io/vectors/types.ts';

/** All rows as one slice. */
export function vectorFile(rows: VectorRows): VectorFile {
  return {
    name: 'test.npy',
    rows: rows.ids.length,
    async *read() {
      yield rows;
    },
  };
}
