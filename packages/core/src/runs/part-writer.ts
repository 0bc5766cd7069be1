/** Writes the rows of one part into a run: cuts batches, writes them to disk, enqueues them. */

import {
  BUILT_IN_DIM,
  MAX_REJECTED_SHOWN,
  type PartReceipt,
  quote,
  type RejectedRow,
  RequestError,
  type RowRead,
} from '@embedmill/contract';
import type { LimitFunction } from 'p-limit';
import { digestPayload } from '../redis/batch/payload.ts';
import type { Credits } from './credits.ts';
import { type Cut, Cutter } from './cut.ts';
import { type Dispatcher, type NumberedBatch, payloadOf } from './dispatch.ts';
import type { Ledger, LedgerBatch } from './ledger.ts';
import { digestRows, encodeRows, type RowLog } from './row-log.ts';

/** Maximum batches that are written to disk and to Redis in one step. */
const GROUP_BATCHES = 16;

/** Memory that Redis needs for a batch besides texts and vectors: job hash, list entry, stream entry. */
const OVERHEAD_BYTES = 2048;
/** Bytes of a result per row besides its vector: tokens, lost tokens, verdict. */
const ROW_RESULT_BYTES = 9;

/** `Retry-After` of a rejected part: the default while no credit is being returned, and the maximum. */
const DEFAULT_WAIT_SECONDS = 10;
const MAX_WAIT_SECONDS = 60;

/** Credit that a batch takes while it is in Redis, in bytes: for its texts or its vectors, whichever is more. */
export function creditBytesOf(payload: Uint8Array, rows: number, dim = BUILT_IN_DIM): number {
  return Math.max(payload.byteLength, rows * (dim * 4 + ROW_RESULT_BYTES)) + OVERHEAD_BYTES;
}

/** What a part writer works with; the run owns all of it. */
export interface PartWriterDeps {
  ledger: Ledger;
  rowLog: RowLog;
  dispatcher: Dispatcher;
  credits: Credits;
  /** Floats per vector, to estimate the size of results. */
  dim: number;
  /** Serializes the writes of the run. */
  turn: LimitFunction;
  /** Throws `run-sealed` or `run-ended` unless the run accepts rows; called in turn, before each write. */
  assertOpen: () => void;
  /** Makes the run responsible for the credit of a batch that has reached the disk. */
  hold: (batch: number) => void;
}

/** Which part is written, and how. */
export interface PartWriterOptions {
  part: number;
  /** Aborted when the client disconnects or the run ends. */
  signal: AbortSignal;
  /** Maximum wait for the credit of one batch, in milliseconds. Default: unlimited. */
  maxWaitMs?: number | undefined;
  /** Called after each chunk of rows with the bytes of the texts that still wait for their batch. */
  onHeld?: ((bytes: number) => Promise<void>) | undefined;
}

/** A batch with credit that is not on disk yet. */
interface PendingBatch {
  rows: Buffer;
  payload: Uint8Array;
  entry: Omit<LedgerBatch, 'span'> & { payloadDigest: string };
}

/**
 * The same rows give the same batches, so an interrupted part is sent again from its first row: batches that
 * are already on disk are compared by digest and skipped, and the part continues where it stopped.
 */
export class PartWriter {
  readonly #deps: PartWriterDeps;
  readonly #options: PartWriterOptions;
  readonly #rejected: RejectedRow[] = [];
  readonly #cutter: Cutter;
  #rejectedCount = 0;
  #accepted = 0;
  #cuts = 0;
  #group: PendingBatch[] = [];

  constructor(deps: PartWriterDeps, options: PartWriterOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#cutter = new Cutter(deps.ledger.created.options);
  }

  /**
   * Writes all rows; when it resolves, they are on disk and in Redis.
   * @param sha256 SHA-256 of the body, called after the last row
   * @throws {RequestError} `part-conflict` when an earlier upload of the part had other rows; `run-sealed`,
   *   `run-ended` when that happened during the upload
   * @throws {RequestError} `overloaded` when there was no credit for a batch in time
   * @throws {UnavailableError} `redis-unavailable`; the rows so far are kept, the same part may be sent again
   */
  async write(rows: AsyncIterable<readonly RowRead[]>, sha256: () => string): Promise<PartReceipt> {
    try {
      for await (const chunk of rows) {
        for (const row of chunk) await this.#takeRow(row);
        await this.#flush();
        await this.#options.onHeld?.(this.#cutter.bytes);
      }
      await this.#admit(this.#cutter.flush());
      await this.#flush();
    } finally {
      for (const { entry } of this.#group.splice(0)) this.#deps.credits.give(entry.creditBytes);
    }
    const known = this.#known();
    if (known.length > this.#cuts)
      throw this.#conflict(`it had ${known.length} batches before and has ${this.#cuts} now`);
    const receipt: PartReceipt = {
      part: this.#options.part,
      accepted: this.#accepted,
      rejected: this.#rejected,
      rejectedCount: this.#rejectedCount,
      sha256: sha256(),
    };
    const { turn, ledger, assertOpen } = this.#deps;
    await turn(async () => {
      assertOpen();
      await ledger.append([{ type: 'part', receipt }]);
    });
    return receipt;
  }

  async #takeRow(row: RowRead): Promise<void> {
    if (!row.ok && !row.keepsPlace) {
      this.#rejectedCount += 1;
      const { line, code, message } = row;
      if (this.#rejected.length < MAX_REJECTED_SHOWN) this.#rejected.push({ line, code, message });
      return;
    }
    this.#accepted += 1;
    await this.#admit(this.#cutter.add(row));
  }

  async #admit(cut: Cut | null): Promise<void> {
    if (cut === null) return;
    const rows = encodeRows(cut.rows);
    const digest = digestRows(rows);
    const known = this.#known()[this.#cuts];
    this.#cuts += 1;
    if (known !== undefined) {
      const before = this.#deps.ledger.batches[known];
      if (before?.digest !== digest)
        throw this.#conflict(`the rows from ${quote(cut.rows[0]?.[0] ?? cut.rows[0]?.[1])} on differ`);
      return;
    }
    const payload = payloadOf(cut.rows);
    const creditBytes = creditBytesOf(payload, cut.rows.length, this.#deps.dim);
    await this.#takeCredit(creditBytes);
    const bad = cut.rows.filter((row) => row[2] === null).length;
    const { part } = this.#options;
    const payloadDigest = digestPayload(payload);
    const { tokens } = cut;
    const entry = { part, rows: cut.rows.length, bad, tokens, creditBytes, digest, payloadDigest };
    this.#group.push({ rows, payload, entry });
    if (this.#group.length >= GROUP_BATCHES) await this.#flush();
  }

  async #takeCredit(bytes: number): Promise<void> {
    const { credits } = this.#deps;
    // The pending batches must be sent before it waits: their credit is only returned after that.
    if (credits.waiting > 0 || credits.usedBytes + bytes > credits.limitBytes) await this.#flush();
    const { signal, maxWaitMs } = this.#options;
    const timeout = maxWaitMs === undefined ? undefined : AbortSignal.timeout(maxWaitMs);
    try {
      await credits.take(bytes, timeout === undefined ? signal : AbortSignal.any([signal, timeout]));
    } catch (error) {
      if (timeout === undefined || error !== timeout.reason) throw error;
      throw this.#overloaded(bytes);
    }
  }

  /** Row log, then ledger, then Redis: a batch that Redis knows can always be sent again. */
  async #flush(): Promise<void> {
    if (this.#group.length === 0) return;
    const { turn, rowLog, ledger, dispatcher, assertOpen, hold } = this.#deps;
    const group = this.#group;
    const numbered = await turn(async (): Promise<NumberedBatch[]> => {
      assertOpen();
      const spans = await rowLog.append(group.map(({ rows }) => rows));
      const first = ledger.batches.length;
      await ledger.append(
        group.map(({ entry }, i) => ({ type: 'batch', batch: { ...entry, span: spans[i]! } })),
      );
      this.#group = [];
      return group.map(({ payload, entry }, i) => {
        hold(first + i);
        return { batch: first + i, payload, payloadDigest: entry.payloadDigest };
      });
    });
    await dispatcher.send(numbered);
  }

  #known(): readonly number[] {
    return this.#deps.ledger.batchesOfPart.get(this.#options.part) ?? [];
  }

  #overloaded(bytes: number): RequestError {
    const seconds = this.#deps.credits.secondsToServe(bytes) ?? DEFAULT_WAIT_SECONDS;
    const retryAfterSeconds = Math.ceil(Math.min(MAX_WAIT_SECONDS, Math.max(1, seconds)));
    return new RequestError(
      'overloaded',
      `the workers are behind: part ${this.#options.part} was not accepted; send it again in ${retryAfterSeconds} s`,
      { retryable: true, facts: { retryAfterSeconds } },
    );
  }

  #conflict(how: string): RequestError {
    return new RequestError(
      'part-conflict',
      `part ${this.#options.part} was sent before with other rows: ${how}; use another part number`,
    );
  }
}
