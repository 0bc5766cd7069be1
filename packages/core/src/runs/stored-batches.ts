/** Which batches of a run are in shards, and how a result becomes what goes there; `Run` asks it. */

import { type BatchSummary, type Precision, quote, summarizeOutcomes } from '@embedmill/contract';
import { decodeOutcomes, peekBatchResult } from '../redis/batch/result.ts';
import { rowsToEmbed } from './dispatch.ts';
import type { Ledger } from './ledger.ts';
import { replaceRows } from './retry.ts';
import type { ShardBatch } from './shards/shard.ts';
import type { ShardIndex } from './shards/shard-index.ts';

/** The shards of a run as its ledger sees it: a batch that is being retried is on the shards and yet not stored. */
export class StoredBatches {
  readonly #ledger: Ledger;
  readonly #shards: ShardIndex;

  constructor(ledger: Ledger, shards: ShardIndex) {
    this.#ledger = ledger;
    this.#shards = shards;
  }

  /** Stored, and nothing of it is retried. */
  has(batch: number): boolean {
    return this.#shards.has(batch) && !this.#ledger.retries.has(batch);
  }

  get size(): number {
    return this.#shards.size - this.#ledger.retries.size;
  }

  /** Numbers of the batches that are not stored. */
  missing(): number[] {
    return this.#ledger.batches.flatMap((_, batch) => (this.has(batch) ? [] : [batch]));
  }

  /** What is stored, without the vectors. */
  *summaries(): Generator<BatchSummary> {
    for (const { batch, summary } of this.#shards.summaries()) {
      if (this.has(batch)) yield summary;
    }
  }

  /** Puts results on disk; when it resolves they survive a power cut. */
  async store(batches: readonly ShardBatch[]): Promise<void> {
    const whole: ShardBatch[] = [];
    for (const batch of batches) whole.push(await this.whole(batch));
    await this.#shards.store(whole);
  }

  /** A result as it goes on the shards: with the rows that were not retried, and with those that were bad before they came. */
  async whole(given: ShardBatch): Promise<ShardBatch> {
    const { batch } = given;
    const { bad } = this.#ledger.batches[batch]!;
    const rows = this.#ledger.retries.get(batch);
    if (rows === undefined) return { ...given, summary: judge(bad, given.summary) };
    const result = replaceRows((await this.#shards.read(batch))!, rows, given.result);
    return { batch, result, summary: judge(bad, summarizeOutcomes(decodeOutcomes(result))) };
  }

  /** Why a result cannot be that of this batch; null when it can. */
  faultOf(batch: number, result: Uint8Array, precision: Precision): string | null {
    try {
      const header = peekBatchResult(result);
      const rows = rowsToEmbed(this.#ledger, batch);
      if (header.rows !== rows || header.batch !== batch) {
        return `it is for batch ${header.batch} with ${header.rows} rows, expected batch ${batch} with ${rows}`;
      }
      const { model } = this.#ledger;
      if (model !== null && header.fingerprint !== model.fingerprint) {
        return `it was made by model ${header.fingerprint}, the run by ${model.fingerprint}`;
      }
      return header.precision === precision
        ? null
        : `it has precision ${header.precision}, asked was ${precision}`;
    } catch (error) {
      return quote(error instanceof Error ? error.message : error, 200);
    }
  }
}

/** Rows that were bad before they came travelled as empty texts; they count as failed. */
function judge(bad: number, summary: BatchSummary): BatchSummary {
  if (bad === 0) return summary;
  const { verdicts } = summary;
  return {
    ...summary,
    verdicts: { ...verdicts, empty: verdicts.empty - bad, failed: verdicts.failed + bad },
  };
}
