/**
 * Writes the rows of one part into a run: cuts batches, writes them to disk, enqueues them.
 * Decision: docs/decisions/0185-parts-are-written-in-large-steps.md.
 */

import {
  BUILT_IN_DIM,
  MAX_REJECTED_SHOWN,
  type PartReceipt,
  quote,
  type RejectedRow,
  RequestError,
} from '@embedmill/contract';
import type { LimitFunction } from 'p-limit';
import { digestPayload } from '../redis/batch/payload.ts';
import type { Credits } from './credits.ts';
import { type BatchLimits, batchLimits, type ColumnsRow, type Cut, Cutter } from './cut.ts';
import { type Dispatcher, type NumberedBatch, payloadOf } from './dispatch.ts';
import type { Ledger, LedgerBatch } from './ledger.ts';
import { digestRows, encodeRows, type RowLog } from './row-log.ts';

/** Maximum batches that are written to disk and to Redis in one step. */
const GROUP_BATCHES = 32;
/** Bytes of rows that complete a step; the batch that reaches them belongs to it. */
export const GROUP_BYTES = 512 * 1024;
/**
 * Maximum time that a complete batch waits for others of its step: a step costs two syncs of the disk and five
 * commands, whatever it holds.
 */
const GROUP_WAIT_MS = 25;

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
  /** Rate of a worker's thread, in estimated tokens; `undefined` if none is known. */
  tokensPerSecond: () => number | undefined;
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
  /** Called after each chunk of rows with the bytes of the texts and columns that still wait for their batch. */
  onHeld?: ((bytes: number) => Promise<void>) | undefined;
}

/** A batch with credit that is not on disk yet. */
interface PendingBatch {
  rows: Buffer;
  payload: Uint8Array;
  entry: Omit<LedgerBatch, 'span'> & { payloadDigest: string };
}

/**
 * An interrupted part is sent again from its first row: its rows are cut as they were the first time, batches that
 * are already on disk are compared by digest and skipped, and the part continues where it stopped.
 */
export class PartWriter {
  readonly #deps: PartWriterDeps;
  readonly #options: PartWriterOptions;
  readonly #rejected: RejectedRow[] = [];
  readonly #cutter: Cutter;
  #rejectedCount = 0;
  #accepted = 0;
  /** Batches that were cut, and those that were begun. */
  #cuts = 0;
  #begun = 0;
  #group: PendingBatch[] = [];
  #groupBytes = 0;
  #groupTimer: NodeJS.Timeout | undefined;
  /** The step in progress; steps do not overlap. */
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: PartWriterDeps, options: PartWriterOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#cutter = new Cutter(() => this.#nextLimits(), deps.ledger.created.options.long);
  }

  /**
   * Writes all rows; when it resolves, they are on disk and in Redis.
   * @param sha256 SHA-256 of the body, called after the last row
   * @throws {RequestError} `part-conflict` when an earlier upload of the part had other rows; `run-sealed`,
   *   `run-ended` when that happened during the upload
   * @throws {RequestError} `overloaded` when there was no credit for a batch in time
   * @throws {UnavailableError} `redis-unavailable`; the rows so far are kept, the same part may be sent again
   */
  async write(rows: AsyncIterable<readonly ColumnsRow[]>, sha256: () => string): Promise<PartReceipt> {
    try {
      for await (const chunk of rows) {
        // Throws what went wrong in a step that began while the caller waited for this chunk.
        await this.#writing;
        for (const row of chunk) {
          const cut = this.#takeRow(row);
          if (cut !== null) await this.#admit(cut);
        }
        await this.#options.onHeld?.(this.#cutter.bytes + this.#groupBytes);
      }
      const last = this.#cutter.flush();
      if (last !== null) await this.#admit(last);
      await this.#flush();
    } finally {
      // The complete batches of an upload that breaks off: they need not be sent again.
      await this.#flush().catch(() => {});
      for (const { entry } of this.#takeGroup()) this.#deps.credits.give(entry.creditBytes);
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

  /** @returns the batch that the row completed */
  #takeRow(row: ColumnsRow): Cut | null {
    if (!row.ok && !row.keepsPlace) {
      this.#rejectedCount += 1;
      const { line, code, message } = row;
      if (this.#rejected.length < MAX_REJECTED_SHOWN) this.#rejected.push({ line, code, message });
      return null;
    }
    this.#accepted += 1;
    return this.#cutter.add(row);
  }

  async #admit(cut: Cut): Promise<void> {
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
    let bad = 0;
    for (const row of cut.rows) if (row[2] === null) bad += 1;
    const { part } = this.#options;
    const payloadDigest = digestPayload(payload);
    const { tokens } = cut;
    const entry = { part, rows: cut.rows.length, bad, tokens, creditBytes, digest, payloadDigest };
    this.#group.push({ rows, payload, entry });
    this.#groupBytes += rows.byteLength;
    if (this.#group.length >= GROUP_BATCHES || this.#groupBytes >= GROUP_BYTES) await this.#flush();
    else this.#groupTimer ??= setTimeout(() => void this.#flush().catch(() => {}), GROUP_WAIT_MS);
  }

  async #takeCredit(bytes: number): Promise<void> {
    const { credits } = this.#deps;
    this.#options.signal.throwIfAborted();
    if (credits.takeNow(bytes)) return;
    // The pending batches must be sent before it waits: their credit is only returned after that.
    await this.#flush();
    const { signal, maxWaitMs } = this.#options;
    const timeout = maxWaitMs === undefined ? undefined : AbortSignal.timeout(maxWaitMs);
    try {
      await credits.take(bytes, timeout === undefined ? signal : AbortSignal.any([signal, timeout]));
    } catch (error) {
      if (timeout === undefined || error !== timeout.reason) throw error;
      throw this.#overloaded(bytes);
    }
  }

  /** Writes the pending batches after the step in progress. A failure is also thrown by the next step. */
  #flush(): Promise<void> {
    clearTimeout(this.#groupTimer);
    this.#groupTimer = undefined;
    this.#writing = this.#writing.then(() => this.#writeGroup());
    return this.#writing;
  }

  /** Row log, then ledger, then Redis: a batch that Redis knows can always be sent again. */
  async #writeGroup(): Promise<void> {
    if (this.#group.length === 0) return;
    const { turn, rowLog, ledger, dispatcher, assertOpen, hold } = this.#deps;
    const numbered = await turn(async (): Promise<NumberedBatch[]> => {
      assertOpen();
      // Taken in turn, with the batches that were cut while it waited; their credit is given back until they are on disk.
      const group = [...this.#group];
      const spans = await rowLog.append(group.map(({ rows }) => rows));
      const first = ledger.batches.length;
      await ledger.append(
        group.map(({ entry }, i) => ({ type: 'batch', batch: { ...entry, span: spans[i]! } })),
      );
      this.#takeGroup(group.length);
      return group.map(({ payload, entry }, i) => {
        hold(first + i);
        return { batch: first + i, payload, payloadDigest: entry.payloadDigest };
      });
    });
    await dispatcher.send(numbered);
  }

  /** Removes the first pending batches; default: all. */
  #takeGroup(count = this.#group.length): PendingBatch[] {
    const taken = this.#group.splice(0, count);
    for (const { rows } of taken) this.#groupBytes -= rows.byteLength;
    return taken;
  }

  /** Limits of the next batch: the rows that the ledger has for it, or those of a new batch. */
  #nextLimits(): BatchLimits {
    const { ledger, tokensPerSecond, dim } = this.#deps;
    const known = this.#known()[this.#begun];
    this.#begun += 1;
    if (known !== undefined) return { rows: ledger.batches[known]!.rows, tokens: Number.POSITIVE_INFINITY };
    return batchLimits(ledger.created.options, tokensPerSecond(), dim);
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
