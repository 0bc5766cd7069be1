/** Brings the batches of one run into Redis, and again when Redis lost them; used by the intake and by the collector. */

import { asError, treatmentOf, UnavailableError } from '@embedmill/contract';
import type { Logger } from 'pino';
import { encodeBatchPayload } from '../redis/batch/payload.ts';
import type { ProducerExchange } from '../redis/exchange/types.ts';
import type { BatchJob, BatchQueue } from '../redis/queue/types.ts';
import type { KeptRow } from './cut.ts';
import type { Ledger } from './ledger.ts';
import type { RowLog } from './row-log.ts';

/** Batches whose rows are read and sent at a time when many must go again. */
const RESEND_BATCHES = 32;

/** What a dispatcher works with. */
export interface DispatchDeps {
  dataDirId: string;
  ledger: Ledger;
  rowLog: RowLog;
  /** The content of the run's glossary, from its file. */
  readGlossary: () => Promise<Uint8Array>;
  exchange: ProducerExchange;
  queue: BatchQueue;
  log: Logger;
}

/** A batch that is on disk and has a number. */
export interface NumberedBatch {
  batch: number;
  payload: Uint8Array;
}

/** The texts of kept rows as a payload; a row without a text travels as an empty one. */
export function payloadOf(rows: readonly KeptRow[]): Uint8Array<ArrayBuffer> {
  return encodeBatchPayload(rows.map((row) => row[2] ?? ''));
}

/** Rows of a batch that a worker is given: all, or those that are retried. */
export function rowsToEmbed(ledger: Ledger, batch: number): number {
  return ledger.retries.get(batch)?.length ?? ledger.batches[batch]!.rows;
}

/** Every call may be repeated: payloads are overwritten with the same bytes, job ids are fixed. */
export class Dispatcher {
  readonly #deps: DispatchDeps;
  readonly #unsent = new Set<number>();

  constructor(parts: DispatchDeps) {
    this.#deps = parts;
  }

  /** Batches that Redis did not take yet. */
  get unsent(): number {
    return this.#unsent.size;
  }

  /**
   * Sends batches.
   * @throws {UnavailableError} `redis-unavailable`; the batches are then remembered for `sendUnsent`.
   */
  async send(batches: readonly NumberedBatch[]): Promise<void> {
    const { exchange, queue, ledger } = this.#deps;
    const run = ledger.created.id;
    try {
      await exchange.openRun(run);
      await this.offerGlossary();
      await exchange.putPayloads(run, batches);
      await queue.enqueue(batches.map(({ batch }) => this.#jobOf(batch)));
      for (const { batch } of batches) this.#unsent.delete(batch);
      // A run that ended meanwhile was forgotten in Redis before these batches came.
      if (ledger.ended !== null)
        await exchange.closeRun(
          run,
          batches.map(({ batch }) => batch),
        );
    } catch (error) {
      for (const { batch } of batches) this.#unsent.add(batch);
      throw new UnavailableError(
        'redis-unavailable',
        `Redis took none of ${batches.length} batches: ${asError(error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /** Sees to it that Redis has the glossary of the run, if it has one. */
  async offerGlossary(): Promise<void> {
    const { exchange, ledger, readGlossary } = this.#deps;
    const id = ledger.created.options.glossary;
    if (id === null || (await exchange.renewGlossary(id))) return;
    await exchange.putGlossary(id, await readGlossary());
  }

  /** Sends the batches that an earlier `send` could not bring into Redis. */
  async sendUnsent(): Promise<void> {
    await this.#sendAgain([...this.#unsent]);
  }

  /** Takes back a batch whose result is lost or cannot be used, and sends it again. */
  async redo(batch: number): Promise<void> {
    this.#unsent.add(batch);
    await this.#deps.exchange.reopenBatch(this.#deps.ledger.created.id, batch);
    await this.#sendAgain([batch]);
  }

  /** Compares these batches with what Redis holds and sends again what is missing there: after a restart of either side. */
  async reconcile(batches: readonly number[]): Promise<void> {
    const { exchange, ledger, log } = this.#deps;
    const run = ledger.created.id;
    await exchange.openRun(run);
    await this.offerGlossary();
    for (let start = 0; start < batches.length; start += RESEND_BATCHES) {
      const slice = batches.slice(start, start + RESEND_BATCHES);
      const presence = await exchange.presence(run, slice);
      const waiting = slice.filter((_, i) => presence[i] === 'waiting');
      const absent = slice.filter((_, i) => presence[i] === 'absent');
      // A payload may have survived its job (they are two writes); an existing job stays as it is.
      await this.#deps.queue.enqueue(waiting.map((batch) => this.#jobOf(batch)));
      for (const batch of absent) await exchange.reopenBatch(run, batch);
      await this.#sendAgain(absent);
      if (absent.length > 0)
        log.warn({ run, batches: absent.length }, 'batches were missing in Redis and are enqueued again');
    }
  }

  async #sendAgain(batches: readonly number[]): Promise<void> {
    const { rowLog, ledger } = this.#deps;
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
    const { ledger, dataDirId } = this.#deps;
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
