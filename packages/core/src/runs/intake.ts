/** Takes the rows of one part into a run: cut, put on disk, enqueued; one intake per request. */

import {
  MAX_REJECTED_SHOWN,
  type PartReceipt,
  quote,
  type RejectedRow,
  RequestError,
  type RowRead,
} from '@embedmill/contract';
import type { LimitFunction } from 'p-limit';
import type { Credits } from './credits.ts';
import { type Cut, Cutter } from './cut.ts';
import { type Dispatcher, type NumberedBatch, payloadOf } from './dispatch.ts';
import type { Ledger, LedgerBatch } from './ledger.ts';
import { digestRows, encodeRows, type RowLog } from './row-log.ts';

/** Batches that go to disk and to Redis in one step while rows come fast. */
const GROUP_BATCHES = 16;

/** Redis's own memory for a batch besides texts and vectors: job hash, list entry, stream entry. */
const OVERHEAD_BYTES = 2048;
const ROW_RESULT_BYTES = 9;

/** What a client that is refused is asked to wait: at the pace of the workers within bounds, or this when there is none. */
const USUAL_WAIT_SECONDS = 10;
const MAX_WAIT_SECONDS = 60;

/** What an intake works with; the run owns all of it. */
export interface IntakeDeps {
  ledger: Ledger;
  rowLog: RowLog;
  dispatcher: Dispatcher;
  credits: Credits;
  /** Floats per vector, to know the size of results before the first one is there. */
  dim: number;
  /** Lets one intake of the run write at a time. */
  turn: LimitFunction;
  /** Throws `run-sealed` or `run-ended` unless the run takes rows; asked in turn, before each write. */
  mustBeOpen: () => void;
  /** Longest wait for the credit of one batch; absent: as long as it takes. */
  patienceMs?: number | undefined;
  /** Makes the run answer for the credit of a batch that is on disk now. */
  hold: (batch: number) => void;
}

/** A batch on its way to the disk. */
interface PendingBatch {
  rows: Buffer;
  payload: Uint8Array;
  entry: Omit<LedgerBatch, 'span'>;
}

/**
 * The same rows give the same batches, so a part that was broken off is begun again from its first row: batches that
 * are on disk already are compared by digest and passed over, and the part goes on where it stopped.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #part: number;
  readonly #signal: AbortSignal | undefined;
  readonly #rejected: RejectedRow[] = [];
  readonly #cutter: Cutter;
  #rejectedCount = 0;
  #accepted = 0;
  #cuts = 0;
  #group: PendingBatch[] = [];

  /** @param signal aborted when the client is gone, so that nobody waits for credit in vain */
  constructor(parts: IntakeDeps, part: number, signal?: AbortSignal) {
    this.#deps = parts;
    this.#part = part;
    this.#signal = signal;
    this.#cutter = new Cutter(parts.ledger.created.options);
  }

  /**
   * Takes all rows; when it resolves they are on the disk and in Redis.
   * @param sha256 of the body, asked for when the rows have come to their end
   * @throws {RequestError} `part-conflict` when the part was begun with other rows; `run-sealed`, `run-ended` when
   *   that happened meanwhile
   * @throws {RequestError} `overloaded` when the credit of a batch did not come in time
   * @throws {UnavailableError} `redis-unavailable`; what came so far is kept, the same part may be sent again
   */
  async take(rows: AsyncIterable<readonly RowRead[]>, sha256: () => string): Promise<PartReceipt> {
    try {
      for await (const chunk of rows) {
        for (const row of chunk) await this.#takeRow(row);
        await this.#write();
      }
      await this.#admit(this.#cutter.flush());
      await this.#write();
    } finally {
      for (const { entry } of this.#group.splice(0)) this.#deps.credits.give(entry.creditBytes);
    }
    const known = this.#known();
    if (known.length > this.#cuts)
      throw this.#conflict(`it had ${known.length} batches before, now ${this.#cuts}`);
    const receipt: PartReceipt = {
      part: this.#part,
      accepted: this.#accepted,
      rejected: this.#rejected,
      rejectedCount: this.#rejectedCount,
      sha256: sha256(),
    };
    const { turn, ledger, mustBeOpen } = this.#deps;
    await turn(async () => {
      mustBeOpen();
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
        throw this.#conflict(`row ${quote(cut.rows[0]?.[0] ?? cut.rows[0]?.[1])} and those after it differ`);
      return;
    }
    const payload = payloadOf(cut.rows);
    const resultBytes = cut.rows.length * (this.#deps.dim * 4 + ROW_RESULT_BYTES);
    const creditBytes = Math.max(payload.byteLength, resultBytes) + OVERHEAD_BYTES;
    await this.#takeCredit(creditBytes);
    const bad = cut.rows.filter((row) => row[2] === null).length;
    const entry = { part: this.#part, rows: cut.rows.length, bad, tokens: cut.tokens, creditBytes, digest };
    this.#group.push({ rows, payload, entry });
    if (this.#group.length >= GROUP_BATCHES) await this.#write();
  }

  async #takeCredit(bytes: number): Promise<void> {
    const { credits } = this.#deps;
    // What this intake holds back must be on its way before it waits, or it would wait for itself.
    if (credits.waiting > 0 || credits.usedBytes + bytes > credits.limitBytes) await this.#write();
    const { patienceMs } = this.#deps;
    const patience = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs);
    const signals = [this.#signal, patience].filter((signal) => signal !== undefined);
    try {
      await credits.take(bytes, AbortSignal.any(signals));
    } catch (error) {
      if (patience === undefined || error !== patience.reason) throw error;
      throw this.#overloaded(bytes);
    }
  }

  /** Rows to the disk, then the ledger, then Redis: what Redis knows of can always be sent again. */
  async #write(): Promise<void> {
    if (this.#group.length === 0) return;
    const { turn, rowLog, ledger, dispatcher, mustBeOpen, hold } = this.#deps;
    const group = this.#group;
    const numbered = await turn(async (): Promise<NumberedBatch[]> => {
      mustBeOpen();
      const spans = await rowLog.append(group.map(({ rows }) => rows));
      const first = ledger.batches.length;
      await ledger.append(
        group.map(({ entry }, i) => ({ type: 'batch', batch: { ...entry, span: spans[i]! } })),
      );
      this.#group = [];
      return group.map(({ payload }, i) => {
        hold(first + i);
        return { batch: first + i, payload };
      });
    });
    await dispatcher.send(numbered);
  }

  #known(): readonly number[] {
    return this.#deps.ledger.batchesOfPart.get(this.#part) ?? [];
  }

  #overloaded(bytes: number): RequestError {
    const seconds = this.#deps.credits.secondsToServe(bytes) ?? USUAL_WAIT_SECONDS;
    const retryAfterSeconds = Math.ceil(Math.min(MAX_WAIT_SECONDS, Math.max(1, seconds)));
    return new RequestError(
      'overloaded',
      `the workers are behind: part ${this.#part} cannot be taken now; send it again in ${retryAfterSeconds} s`,
      { retryable: true, facts: { retryAfterSeconds } },
    );
  }

  #conflict(how: string): RequestError {
    return new RequestError(
      'part-conflict',
      `part ${this.#part} was begun with other rows: ${how}; use another part number`,
    );
  }
}
