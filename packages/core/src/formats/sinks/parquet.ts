/** The Parquet output format; its writer is loaded for the first file. */

import type { Format } from './types.ts';

/**
 * `vector` is null for a row without a vector; `dtype` int8 adds a column `scale`. Holds one row group at a
 * time.
 */
export const parquet: Format = {
  name: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  extension: '.parquet',
  async *encode(rows, shape, options) {
    const { writeParquet } = await import('./parquet-file.ts');
    yield* writeParquet(rows, shape, options);
  },
};
