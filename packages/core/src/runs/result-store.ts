/** The results of one run: checks, counts and completes them, and writes them to shards; the run owns one. */

import { type BatchSummary, quote } from '@embedmill/contract';
import type { LimitFunction } from 'p-limit';
import { steadyNow } from '../process/steady-clock.ts';
import {
  decodeTreatmentRevision,
  peekBatchResult,
  resultDigestOf,
  summarizeResult,
} from '../redis/batch/result.ts';
import { digestToEmbed, rowsToEmbed } from './dispatch.ts';
import { RunProgress } from './progress.ts';
import { replaceRows } from './retry.ts';
import type { RunFiles } from './run-files.ts';
import type { ShardBatch } from './shards/shard.ts';

/** A batch and its result, as the collector takes both from Redis. */
export type BatchOutput = Omit<ShardBatch, 'digest'>;

/** What the store of results works with; the run owns all of it. */
export interface ResultStoreDeps {
  files: RunFiles;
  /** Serializes the writes of the run. */
  turn: LimitFunction;
}

/**
 * `ShardIndex` knows which batches are in shards; this class adds what the ledger knows: a batch that is being
 * retried is in a shard, yet not stored.
 */
export class ResultStore {
  readonly #files: RunFiles;
  readonly #turn: LimitFunction;
  /** Batches that are counted as done and not yet settled. */
  readonly #counted = new Map<number, BatchSummary>();
  #progress: RunProgress;

  constructor({ files, turn }: ResultStoreDeps) {
    this.#files = files;
    this.#turn = turn;
    this.#progress = this.#progressOfStored();
  }

  /** Finished work, stored or not. */
  get progress(): RunProgress {
    return this.#progress;
  }

  /** True when the batch is in a shard, belongs to the run, and none of its rows is being retried. */
  has(batch: number): boolean {
    const { shards, ledger } = this.#files;
    return shards.has(batch) && !ledger.retries.has(batch) && !ledger.droppedBatches.has(batch);
  }

  /** Number of stored batches. */
  get size(): number {
    const { shards, ledger } = this.#files;
    const dropped = [...ledger.droppedBatches].filter((batch) => shards.has(batch)).length;
    return shards.size - ledger.retries.size - dropped;
  }

  /** Numbers of the batches that are not stored. */
  missing(): number[] {
    const { batches, droppedBatches } = this.#files.ledger;
    return batches.flatMap((_, batch) => (this.has(batch) || droppedBatches.has(batch) ? [] : [batch]));
  }

  /** Why a result cannot belong to this batch; `null` when it can. */
  faultOf(batch: number, result: Uint8Array): string | null {
    const { ledger } = this.#files;
    const { precision } = ledger.created.options;
    try {
      const header = peekBatchResult(result);
      const rows = rowsToEmbed(ledger, batch);
      if (header.rows !== rows || header.batch !== batch) {
        return `it is for batch ${header.batch} with ${header.rows} rows, expected batch ${batch} with ${rows}`;
      }
      // A worker before 0.2 states no digest.
      const digest = resultDigestOf(result);
      if (digest !== undefined && digest !== digestToEmbed(ledger, batch))
        return 'it was computed for other rows with the same batch number';
      const { model } = ledger;
      if (model !== null && header.fingerprint !== model.fingerprint) {
        return `it was computed with model ${header.fingerprint}, expected ${model.fingerprint}`;
      }
      const treatment = decodeTreatmentRevision(result);
      if (model !== null && treatment !== model.treatment) {
        return `it was computed with revision ${treatment} of the treatment, expected ${model.treatment}`;
      }
      return header.precision === precision
        ? null
        : `it has precision ${header.precision}, expected ${precision}`;
    } catch (error) {
      return quote(error instanceof Error ? error.message : error, 200);
    }
  }

  /** Counts a valid result as done, once. The first one decides the model, so that a run never mixes two. */
  async count(given: BatchOutput): Promise<void> {
    const { ledger } = this.#files;
    if (ledger.model === null) {
      const { dim, fingerprint } = peekBatchResult(given.result, { verify: false });
      const treatment = decodeTreatmentRevision(given.result);
      await this.#turn(() => ledger.append([{ type: 'model', dim, fingerprint, treatment }]));
    }
    if (this.#counted.has(given.batch)) return;
    this.#counted.set(given.batch, given.summary);
    const { summary } = await this.#complete(given);
    this.#counted.set(given.batch, summary);
    this.#progress.add(summary, steadyNow());
  }

  /** Writes results to disk; when it resolves, they survive a power cut. */
  async store(batches: readonly BatchOutput[]): Promise<void> {
    const { ledger, shards } = this.#files;
    const complete: ShardBatch[] = [];
    for (const batch of batches) {
      const { digest } = ledger.batches[batch.batch]!;
      complete.push({ ...(await this.#complete(batch)), digest });
    }
    await shards.store(complete);
    const retried = batches.map(({ batch }) => batch).filter((batch) => ledger.retries.has(batch));
    if (retried.length > 0) await this.#turn(() => ledger.append([{ type: 'retried', batches: retried }]));
  }

  /** Records that a batch is stored and acknowledged. */
  settle(batch: number): void {
    this.#counted.delete(batch);
  }

  /** Counts again what is done and belongs to the run; called when a retry has begun or a part was dropped. */
  recount(): void {
    const { droppedBatches, retries } = this.#files.ledger;
    const progress = this.#progressOfStored();
    for (const [batch, summary] of this.#counted) {
      if (retries.has(batch) || droppedBatches.has(batch)) this.#counted.delete(batch);
      else if (!this.has(batch)) progress.add(summary, null);
    }
    this.#progress = progress;
  }

  #progressOfStored(): RunProgress {
    const progress = new RunProgress();
    for (const { batch, summary } of this.#files.shards.summaries()) {
      if (this.has(batch)) progress.add(summary, null);
    }
    return progress;
  }

  /**
   * A result as it is stored: after a retry, with the rows that were not retried; rows that were rejected on
   * input count as failed.
   */
  async #complete(given: BatchOutput): Promise<BatchOutput> {
    const { batch } = given;
    const { ledger, shards } = this.#files;
    const { bad } = ledger.batches[batch]!;
    const rows = ledger.retries.get(batch);
    if (rows === undefined) return { ...given, summary: countBad(bad, given.summary) };
    const result = replaceRows((await shards.read(batch))!, rows, given.result);
    return { batch, result, summary: countBad(bad, summarizeResult(result)) };
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
