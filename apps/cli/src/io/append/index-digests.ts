/** Collects the digests for the row index of an output while its rows are written. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { digestsOfPresent } from './merge.ts';
import type { RowBlock } from './row-spool.ts';

/** Two files in the work folder: the index has all text digests before all id digests. */
export class IndexDigests {
  readonly #texts: string;
  readonly #ids: string;

  /** @param path start of the paths of the files, which are replaced */
  constructor(path: string) {
    this.#texts = `${path}.texts`;
    this.#ids = `${path}.ids`;
  }

  /** Writes the digests of all rows; `slices` tells which of them have a vector. */
  async collect(
    blocks: AsyncIterable<RowBlock>,
    slices: AsyncIterable<{ readonly present: Uint8Array }>,
  ): Promise<void> {
    const texts = await open(this.#texts, 'w', 0o600);
    const ids = await open(this.#ids, 'w', 0o600);
    try {
      for await (const { textDigests, idDigests } of digestsOfPresent(blocks, slices)) {
        await texts.writeFile(textDigests);
        await ids.writeFile(idDigests);
      }
    } finally {
      await Promise.all([texts.close(), ids.close()]);
    }
  }

  /** The text digests of all rows, then the id digests. */
  async *read(): AsyncGenerator<Uint8Array> {
    for (const path of [this.#texts, this.#ids])
      yield* createReadStream(path, { highWaterMark: 1024 * 1024 });
  }
}
