/** Writes the rows of an output as several files of a fixed number of rows. */

import { rm } from 'node:fs/promises';
import type { Dtype, FormatName } from '@embedmill/contract';
import { cutSlice, FORMATS, type OutputRows } from '@embedmill/core/formats';
import type { OutputDraft } from '../../io/output/types.ts';
import { writeDraft } from '../../io/output/write-draft.ts';
import { shardPath } from '../../io/vectors/shards.ts';

/** Dependencies and options of {@link writeShards}. */
export interface ShardsDeps {
  /** Path of the output, from which the names of the shards are made. */
  path: string;
  format: FormatName;
  dtype: Dtype;
  /** Floats per vector. */
  dim: number;
  /** Rows per shard; the last one may have fewer. */
  shardRows: number;
  /** The rows of the output. */
  rows: AsyncIterable<OutputRows>;
  /** Encodes the rows of one shard. */
  encode: (source: AsyncIterable<OutputRows>) => AsyncIterable<Uint8Array>;
}

/** Writes a draft of each shard, at least one. Removes them all on failure. */
export async function writeShards(deps: ShardsDeps): Promise<OutputDraft[]> {
  const { path, format, dtype, dim, shardRows, rows, encode } = deps;
  const cutter = new RowCutter(rows);
  const drafts: OutputDraft[] = [];
  const head = FORMATS[format].head;
  try {
    while (drafts.length === 0 || (await cutter.hasRows())) {
      let count = 0;
      const counted = countRows(cutter.take(shardRows), (taken) => {
        count += taken;
      });
      drafts.push(
        // The names tell the number of shards, which is not known yet.
        await writeDraft(`${path}.shard-${drafts.length}`, encode(counted), {
          ...{ format, dtype, rows: () => count },
          head: head && ((all) => head({ rows: all, dim }, { dtype })),
        }),
      );
    }
    return drafts.map((draft, number) => ({ ...draft, path: shardPath(path, number, drafts.length) }));
  } catch (error) {
    for (const { draftPath } of drafts) await rm(draftPath, { force: true });
    throw error;
  } finally {
    await cutter.close();
  }
}

async function* countRows(
  slices: AsyncIterable<OutputRows>,
  onRows: (rows: number) => void,
): AsyncGenerator<OutputRows> {
  for await (const slice of slices) {
    onRows(slice.ids.length);
    yield slice;
  }
}

/** Cuts slices at given numbers of rows. */
class RowCutter {
  readonly #source: AsyncIterator<OutputRows>;
  #rest: OutputRows | null = null;

  constructor(rows: AsyncIterable<OutputRows>) {
    this.#source = rows[Symbol.asyncIterator]();
  }

  /** Whether there are more rows. */
  async hasRows(): Promise<boolean> {
    while (this.#rest === null) {
      const { done, value } = await this.#source.next();
      if (done) return false;
      if (value.ids.length > 0) this.#rest = value;
    }
    return true;
  }

  /** The next `count` rows, or fewer at the end. */
  async *take(count: number): AsyncGenerator<OutputRows> {
    for (let left = count; left > 0 && (await this.hasRows()); ) {
      const slice = this.#rest as OutputRows;
      const rows = Math.min(left, slice.ids.length);
      this.#rest = rows < slice.ids.length ? cutSlice(slice, rows, slice.ids.length) : null;
      left -= rows;
      yield cutSlice(slice, 0, rows);
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
