/** Sends the batches of one run to Redis, and again when Redis lost them. */

import { createHash } from 'node:crypto';
import { asError, treatmentOf, UnavailableError } from '@embedmill/contract';
import type { Logger } from 'pino';
import { digestPayload, encodeBatchPayload } from '../redis/batch/payload.ts';
import type { ProducerExchange } from '../redis/exchange/types.ts';
import type { BatchJob, BatchQueue } from '../redis/queue/types.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { RunFiles } from './run-files.ts';

/** Maximum batches that are read and sent in one step when many are sent again. */
const RESEND_BATCHES = 32;

/** Pause before a batch is done again for the second time; it doubles each time. */
const FIRST_REDO_PAUSE_MS = 500;
const MAX_REDO_PAUSE_MS = 60_000;

/** What a dispatcher works with. */
export interface DispatchDeps {
  /** Id of the data folder in Redis: workers announce results under it. */
  dataDirId: string;
  files: RunFiles;
  exchange: ProducerExchange;
  queue: BatchQueue;
  log: Logger;
}

/** A batch that is on disk. */
export interface NumberedBatch {
  /** Number in the run, from 0. */
  batch: number;
  /** `encodeBatchPayload` bytes. */
  payload: Uint8Array;
  /** `digestPayload` of the payload. */
  payloadDigest: string;
}

/** The texts of rows as a payload; a row without a text is sent as an empty one. */
export function payloadOf(rows: readonly KeptRow[]): Uint8Array<ArrayBuffer> {
  return encodeBatchPayload(rows.map((row) => row[2] ?? ''));
}

/** Number of rows of a batch that a worker gets: all, or those that are retried. */
export function rowsToEmbed(ledger: Ledger, batch: number): number {
  return ledger.retries.get(batch)?.length ?? ledger.batches[batch]!.rows;
}

/**
 * Identity of the rows that a worker gets, as it states it in the result: those of the batch, or the retried ones among
 * them.
 */
export function digestToEmbed(ledger: Ledger, batch: number): string {
  const { digest } = ledger.batches[batch]!;
  const rows = ledger.retries.get(batch);
  return rows === undefined ? digest : createHash('sha256').update(`${digest} ${rows}`).digest('base64url');
}

/** Every call is idempotent: payloads are overwritten with the same bytes, job ids are fixed. */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #unsent = new Set<number>();
  /** Batches that `send` is writing now: a payload may be in Redis before its job. */
  readonly #sending = new Set<number>();
  /** How often batches had to be done again. */
  readonly #redone = new Map<number, number>();

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  /** Number of batches that Redis has not accepted yet. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /**
   * Sends batches.
   * @param delayMs time until a worker may take them. Default 0
   * @throws {UnavailableError} `redis-unavailable`; `sendUnsent` then sends the batches again
   */
  async send(batches: readonly NumberedBatch[], delayMs = 0): Promise<void> {
    const { exchange, queue, files } = this.#deps;
    const { ledger } = files;
    const run = ledger.created.id;
    for (const { batch } of batches) this.#sending.add(batch);
    try {
      await this.openRun();
      await this.offerGlossary();
      await exchange.putPayloads(run, batches);
      await queue.enqueue(
        batches.map(({ batch, payloadDigest }) => this.#jobOf(batch, payloadDigest)),
        delayMs,
      );
      for (const { batch } of batches) this.#unsent.delete(batch);
      // When the run ended during this call, its keys were deleted before these were written.
      if (ledger.ended !== null) {
        await exchange.closeRun(
          run,
          batches.map(({ batch }) => batch),
        );
      }
    } catch (error) {
      for (const { batch } of batches) this.#unsent.add(batch);
      throw new UnavailableError(
        'redis-unavailable',
        `Redis did not accept ${batches.length} batches: ${asError(error).message}`,
        { cause: error },
      );
    } finally {
      for (const { batch } of batches) this.#sending.delete(batch);
    }
  }

  /** Makes the run known to workers. When it ended during this call, its key was deleted before this one was written. */
  async openRun(): Promise<void> {
    const { exchange, files } = this.#deps;
    const { ledger } = files;
    await exchange.openRun(ledger.created.id, ledger.computedWith);
    if (ledger.ended !== null) await exchange.closeRun(ledger.created.id, []);
  }

  /** Writes the run's glossary to Redis unless it is there or the run has none. */
  async offerGlossary(): Promise<void> {
    const { exchange, files } = this.#deps;
    const id = files.ledger.created.options.glossary;
    if (id === null || (await exchange.renewGlossary(id))) return;
    await exchange.putGlossary(id, await files.readGlossary());
  }

  /** Sends the batches for which `send` failed. */
  async sendUnsent(): Promise<void> {
    await this.#sendAgain([...this.#unsent]);
  }

  /** Does not send these batches again. What Redis has of them is computed, acknowledged and not stored. */
  forget(batches: Iterable<number>): void {
    for (const batch of batches) this.#unsent.delete(batch);
  }

  /**
   * Reopens a batch whose result is lost or unusable, and sends it again: at once the first time, and after growing pauses
   * later, so that workers that only give unusable results do not repeat it without end.
   */
  async redo(batch: number): Promise<void> {
    const times = this.#redone.get(batch) ?? 0;
    this.#redone.set(batch, times + 1);
    this.#unsent.add(batch);
    await this.#deps.exchange.reopenBatch(this.#deps.files.ledger.created.id, batch);
    const delayMs = times === 0 ? 0 : Math.min(FIRST_REDO_PAUSE_MS * 2 ** (times - 1), MAX_REDO_PAUSE_MS);
    await this.#sendAgain([batch], delayMs);
  }

  /**
   * Sends those of these batches that Redis lacks or the queue has lost; called in every audit.
   * @returns the batches whose results are in Redis
   */
  async reconcile(batches: readonly number[]): Promise<number[]> {
    const { exchange, files, log } = this.#deps;
    const run = files.ledger.created.id;
    await this.openRun();
    await this.offerGlossary();
    const ready: number[] = [];
    const jobs: BatchJob[] = [];
    const settled = batches.filter((batch) => !this.#sending.has(batch));
    for (let start = 0; start < settled.length; start += RESEND_BATCHES) {
      const slice = settled.slice(start, start + RESEND_BATCHES);
      const presence = await exchange.presence(run, slice);
      const absent = slice.filter((_, i) => presence[i] === 'absent');
      ready.push(...slice.filter((_, i) => presence[i] === 'ready'));
      for (const batch of absent) await exchange.reopenBatch(run, batch);
      await this.#sendAgain(absent);
      if (absent.length > 0)
        log.warn({ run, batches: absent.length }, 'batches missing in Redis were enqueued again');
      const waiting = slice.filter((_, i) => presence[i] !== 'ready');
      jobs.push(...(await Promise.all(waiting.map((batch) => this.#jobOfWaiting(batch)))));
    }
    await this.#restoreJobs(run, jobs);
    return ready;
  }

  /**
   * Payload and job are two writes and several keys, so a payload may exist without its job. It may also be the payload of
   * other rows, if the folder was replaced by an older copy: the worker compares it with the digest in the job.
   */
  async #restoreJobs(run: string, jobs: readonly BatchJob[]): Promise<void> {
    const { exchange, queue, log } = this.#deps;
    const absent = await queue.findLost(jobs);
    if (absent.length === 0) return;
    // A worker that finishes a batch deletes the payload before its job: such a job is not lost.
    const presence = await exchange.presence(
      run,
      absent.map(({ batch }) => batch),
    );
    const lost = absent.filter((_, i) => presence[i] === 'waiting');
    if (lost.length === 0) return;
    await queue.restore(lost);
    log.warn({ run, batches: lost.length }, 'jobs missing in the queue were enqueued again');
  }

  async #sendAgain(batches: readonly number[], delayMs = 0): Promise<void> {
    for (let start = 0; start < batches.length; start += RESEND_BATCHES) {
      const slice = batches.slice(start, start + RESEND_BATCHES);
      const numbered: NumberedBatch[] = [];
      for (const batch of slice) {
        const payload = await this.#readPayload(batch);
        numbered.push({ batch, payload, payloadDigest: digestPayload(payload) });
      }
      await this.send(numbered, delayMs);
    }
  }

  /** The payload of a batch from the row log: all its rows, or those that are retried. */
  async #readPayload(batch: number): Promise<Uint8Array> {
    const { rowLog, ledger } = this.#deps.files;
    const kept = await rowLog.read(ledger.batches[batch]!.span);
    const retried = ledger.retries.get(batch)?.map((row) => kept[row]!);
    return payloadOf(retried ?? kept);
  }

  /** The job of a batch whose payload is in Redis. */
  async #jobOfWaiting(batch: number): Promise<BatchJob> {
    const { ledger } = this.#deps.files;
    const known = ledger.retries.has(batch) ? undefined : ledger.batches[batch]!.payloadDigest;
    return this.#jobOf(batch, known ?? digestPayload(await this.#readPayload(batch)));
  }

  #jobOf(batch: number, payloadDigest: string): BatchJob {
    const { files, dataDirId } = this.#deps;
    const { ledger } = files;
    const { tokens } = ledger.batches[batch]!;
    const rows = rowsToEmbed(ledger, batch);
    const { id, options } = ledger.created;
    const { precision, truncate, model } = options;
    return {
      run: id,
      batch,
      home: dataDirId,
      rows,
      tokens,
      precision,
      truncate,
      treatment: treatmentOf(options),
      model,
      digest: digestToEmbed(ledger, batch),
      payloadDigest,
    };
  }
}
