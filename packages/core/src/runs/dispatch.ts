/** Sends the batches of one run to Redis, and again when Redis lost them. */

import { asError, treatmentOf, UnavailableError } from '@embedmill/contract';
import type { Logger } from 'pino';
import { encodeBatchPayload } from '../redis/batch/payload.ts';
import type { ProducerExchange } from '../redis/exchange/types.ts';
import type { BatchJob, BatchQueue } from '../redis/queue/types.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { RunFiles } from './run-files.ts';

/** Maximum batches that are read and sent in one step when many are sent again. */
const RESEND_BATCHES = 32;

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
}

/** The texts of rows as a payload; a row without a text is sent as an empty one. */
export function payloadOf(rows: readonly KeptRow[]): Uint8Array<ArrayBuffer> {
  return encodeBatchPayload(rows.map((row) => row[2] ?? ''));
}

/** Number of rows of a batch that a worker gets: all, or those that are retried. */
export function rowsToEmbed(ledger: Ledger, batch: number): number {
  return ledger.retries.get(batch)?.length ?? ledger.batches[batch]!.rows;
}

/** Every call is idempotent: payloads are overwritten with the same bytes, job ids are fixed. */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #unsent = new Set<number>();

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
  }

  /** Number of batches that Redis has not accepted yet. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /**
   * Sends batches.
   * @throws {UnavailableError} `redis-unavailable`; `sendUnsent` then sends the batches again
   */
  async send(batches: readonly NumberedBatch[]): Promise<void> {
    const { exchange, queue, files } = this.#deps;
    const { ledger } = files;
    const run = ledger.created.id;
    try {
      await exchange.openRun(run);
      await this.offerGlossary();
      await exchange.putPayloads(run, batches);
      await queue.enqueue(batches.map(({ batch }) => this.#jobOf(batch)));
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
    }
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

  /** Reopens a batch whose result is lost or unusable, and sends it again. */
  async redo(batch: number): Promise<void> {
    this.#unsent.add(batch);
    await this.#deps.exchange.reopenBatch(this.#deps.files.ledger.created.id, batch);
    await this.#sendAgain([batch]);
  }

  /** Sends those of these batches that Redis lacks; called after a restart of Redis or of the producer. */
  async reconcile(batches: readonly number[]): Promise<void> {
    const { exchange, files, log } = this.#deps;
    const run = files.ledger.created.id;
    await exchange.openRun(run);
    await this.offerGlossary();
    for (let start = 0; start < batches.length; start += RESEND_BATCHES) {
      const slice = batches.slice(start, start + RESEND_BATCHES);
      const presence = await exchange.presence(run, slice);
      const waiting = slice.filter((_, i) => presence[i] === 'waiting');
      const absent = slice.filter((_, i) => presence[i] === 'absent');
      // Payload and job are two writes, so a payload may exist without its job; an existing job is left as it
      // is.
      await this.#deps.queue.enqueue(waiting.map((batch) => this.#jobOf(batch)));
      for (const batch of absent) await exchange.reopenBatch(run, batch);
      await this.#sendAgain(absent);
      if (absent.length > 0)
        log.warn({ run, batches: absent.length }, 'batches missing in Redis were enqueued again');
    }
  }

  async #sendAgain(batches: readonly number[]): Promise<void> {
    const { rowLog, ledger } = this.#deps.files;
    for (let start = 0; start < batches.length; start += RESEND_BATCHES) {
      const slice = batches.slice(start, start + RESEND_BATCHES);
      const numbered: NumberedBatch[] = [];
      for (const batch of slice) {
        const kept = await rowLog.read(ledger.batches[batch]!.span);
        const retried = ledger.retries.get(batch)?.map((row) => kept[row]!);
        numbered.push({ batch, payload: payloadOf(retried ?? kept) });
      }
      await this.send(numbered);
    }
  }

  #jobOf(batch: number): BatchJob {
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
    };
  }
}
