/** Parquet as a format of output; what writes it is loaded by the first file. */
import type { Format } from './types.ts';

/** `vector` is null where a row has none; with `dtype` int8 there is a column `scale` too. Holds one row group at a time. */
export const parquet: Format = {
  name: 'parquet',
  contentType: 'application/vnd.apache.parquet',
  extension: '.parquet',
  async *encode(rows, shape, options) {
    const { writeParquet } = await import('./parquet-file.ts');
    yield* writeParquet(rows, shape, options);
  },
};
