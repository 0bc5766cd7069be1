/** An in-memory vector file. */

import type { VectorRows } from '@embedmill/contract';
import type { StoredObjects } from '../../apps/cli/src/io/vectors/columns.ts';
import type { VectorFile } from '../../apps/cli/src/io/vectors/types.ts';

/** A vector file with these rows in one slice. @param objects the columns of each row */
export function vectorFile(rows: VectorRows, objects: StoredObjects['objects'] = []): VectorFile {
  return {
    name: 'test.npy',
    rows: rows.ids.length,
    async *read() {
      yield rows;
    },
    async *readColumns() {
      yield { ids: rows.ids, objects };
    },
  };
}
