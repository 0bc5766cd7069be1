/** Writes the rows of an output as several files of a fixed number of rows. */

import { type RetryOptions, withRetry } from '@embedmill/client';
import { CorruptError, type Dtype, type FormatName } from '@embedmill/contract';
import { cutSlice, type OutputRows } from '@embedmill/core/formats';
import type { OutputDraft } from '../../io/output/types.ts';
import { writeDraft } from '../../io/output/write-draft.ts';
import { shardPath } from '../../io/vectors/shards.ts';

/** Dependencies and options of {@link writeShards}. */
export interface ShardsDeps {
  /** Path of the output, from which the names of the shards are made. */
  path: string;
  format: FormatName;
  dtype: Dtype;
  /** All rows of the output. */
  rows: number;
  /** Rows per shard; the last one may have fewer. */
  shardRows: number;
  /** Opens the rows from the first one. */
  open: () => Promise<AsyncIterable<OutputRows>>;
  /** Encodes the rows of one shard. */
  encode: (source: AsyncIterable<OutputRows>, rows: number) => AsyncIterable<Uint8Array>;
  retry: RetryOptions;
}

/** Writes a draft of each shard, at least one. A failed download continues with the shard it was in. */
export async function writeShards(deps: ShardsDeps): Promise<OutputDraft[]> {
  const { path, format, dtype, rows, shardRows, open, encode, retry } = deps;
  const count = Math.max(1, Math.ceil(rows / shardRows));
  const drafts: OutputDraft[] = [];
  await withRetry(async () => {
    const cutter = new RowCutter(await open());
    try {
      for await (const _ of cutter.take(drafts.length * shardRows));
      while (drafts.length < count) {
        const rowsHere = Math.min(shardRows, rows - drafts.length * shardRows);
        const chunks = encode(cutter.take(rowsHere), rowsHere);
        drafts.push(
          await writeDraft(shardPath(path, drafts.length, count), chunks, { format, rows: rowsHere, dtype }),
        );
      }
    } finally {
      await cutter.close();
    }
  }, retry);
  return drafts;
}

/** Cuts slices at given numbers of rows. */
export class RowCutter {
  readonly #source: AsyncIterator<OutputRows>;
  #rest: OutputRows | null = null;

  constructor(rows: AsyncIterable<OutputRows>) {
    this.#source = rows[Symbol.asyncIterator]();
  }

  /** The next `count` rows. */
  async *take(count: number): AsyncGenerator<OutputRows> {
    for (let left = count; left > 0; ) {
      const slice = this.#rest ?? (await this.#next());
      const rows = Math.min(left, slice.ids.length);
      this.#rest = rows < slice.ids.length ? cutSlice(slice, rows, slice.ids.length) : null;
      left -= rows;
      yield cutSlice(slice, 0, rows);
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<OutputRows> {
    const { done, value } = await this.#source.next();
    if (done) throw new CorruptError('wrong-output', 'the producer sent fewer rows than the run has');
    return value;
  }
}
