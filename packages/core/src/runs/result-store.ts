/**
 * Accepts the results of one run: checks them, completes them and writes them to shards; the run owns one.
 */

import { type BatchSummary, type Precision, quote, summarizeOutcomes } from '@embedmill/contract';
import { decodeOutcomes, peekBatchResult } from '../redis/batch/result.ts';
import { rowsToEmbed } from './dispatch.ts';
import type { Ledger } from './ledger.ts';
import { replaceRows } from './retry.ts';
import type { ShardBatch } from './shards/shard.ts';
import type { ShardIndex } from './shards/shard-index.ts';

/**
 * The shards alone say what is on disk (`ShardIndex`); this class adds what the ledger knows: a batch that is
 * being retried is in a shard, yet not stored.
 */
export class ResultStore {
  readonly #ledger: Ledger;
  readonly #shards: ShardIndex;

  constructor(ledger: Ledger, shards: ShardIndex) {
    this.#ledger = ledger;
    this.#shards = shards;
  }

  /** True when the batch is in a shard and none of its rows is being retried. */
  has(batch: number): boolean {
    return this.#shards.has(batch) && !this.#ledger.retries.has(batch);
  }

  /** Stored batches. */
  get size(): number {
    return this.#shards.size - this.#ledger.retries.size;
  }

  /** Numbers of the batches that are not stored. */
  missing(): number[] {
    return this.#ledger.batches.flatMap((_, batch) => (this.has(batch) ? [] : [batch]));
  }

  /** Summaries of the stored batches. */
  *summaries(): Generator<BatchSummary> {
    for (const { batch, summary } of this.#shards.summaries()) {
      if (this.has(batch)) yield summary;
    }
  }

  /** Writes results to disk; when it resolves, they survive a power cut. */
  async store(batches: readonly ShardBatch[]): Promise<void> {
    const whole: ShardBatch[] = [];
    for (const batch of batches) whole.push(await this.whole(batch));
    await this.#shards.store(whole);
  }

  /**
   * A result as it is stored: after a retry, with the rows that were not retried; rows that were rejected on
   * input count as failed.
   */
  async whole(given: ShardBatch): Promise<ShardBatch> {
    const { batch } = given;
    const { bad } = this.#ledger.batches[batch]!;
    const rows = this.#ledger.retries.get(batch);
    if (rows === undefined) return { ...given, summary: countBad(bad, given.summary) };
    const result = replaceRows((await this.#shards.read(batch))!, rows, given.result);
    return { batch, result, summary: countBad(bad, summarizeOutcomes(decodeOutcomes(result))) };
  }

  /** Why a result cannot belong to this batch; `null` when it can. */
  faultOf(batch: number, result: Uint8Array, precision: Precision): string | null {
    try {
      const header = peekBatchResult(result);
      const rows = rowsToEmbed(this.#ledger, batch);
      if (header.rows !== rows || header.batch !== batch) {
        return `it is for batch ${header.batch} with ${header.rows} rows, expected batch ${batch} with ${rows}`;
      }
      const { model } = this.#ledger;
      if (model !== null && header.fingerprint !== model.fingerprint) {
        return `it was computed with model ${header.fingerprint}, expected ${model.fingerprint} as in the rest of the run`;
      }
      return header.precision === precision
        ? null
        : `it has precision ${header.precision}, expected ${precision}`;
    } catch (error) {
      return quote(error instanceof Error ? error.message : error, 200);
    }
  }
}

/** Rows that were rejected on input were sent as empty texts; they count as failed. */
function countBad(bad: number, summary: BatchSummary): BatchSummary {
  if (bad === 0) return summary;
  const { verdicts } = summary;
  return {
    ...summary,
    verdicts: { ...verdicts, empty: verdicts.empty - bad, failed: verdicts.failed + bad },
  };
}
