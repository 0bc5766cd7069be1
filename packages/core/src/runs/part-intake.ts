/**
 * Accepts the parts of one run until it is sealed: one upload per part at a time, each part once.
 * Decision: docs/decisions/0002.
 */

import { BUILT_IN_DIM, EmbedmillError, type PartReceipt, RequestError } from '@embedmill/contract';
import type { LimitFunction } from 'p-limit';
import type { Credits } from './credits.ts';
import type { ColumnsRow } from './cut.ts';
import type { Dispatcher } from './dispatch.ts';
import { PartWriter } from './part-writer.ts';
import type { RunCredit } from './run-credit.ts';
import type { RunFiles } from './run-files.ts';

/** What an intake works with; the run owns all of it. */
export interface PartIntakeDeps {
  files: RunFiles;
  dispatcher: Dispatcher;
  credits: Credits;
  credit: RunCredit;
  /** Rate of a worker's thread, in estimated tokens; `undefined` if none is known. */
  tokensPerSecond: () => number | undefined;
  /** Serializes the writes of the run. */
  turn: LimitFunction;
  /** Called when the rows of a new part begin to arrive. */
  onUpload: () => void;
  /** Called with the batches of a part whose rows were dropped. */
  onDrop: (batches: readonly number[]) => void;
}

/** One part as a client sends it. */
export interface PartUpload {
  /** Number of the part in its run, from 0. */
  part: number;
  rows: AsyncIterable<readonly ColumnsRow[]>;
  /** SHA-256 of the body, in hexadecimal; called after the last row. */
  sha256: () => string;
  /** Aborted when the client disconnects. */
  signal?: AbortSignal | undefined;
  /** Maximum wait for the credit of one batch, in milliseconds. Default: unlimited, for a stream. */
  maxWaitMs?: number | undefined;
  /** Called after each chunk of rows with the bytes of the texts and columns that still wait for their batch. */
  onHeld?: ((bytes: number) => Promise<void>) | undefined;
}

/** Refusals after which the same part is sent again with other rows, or not at all. */
const ENDS_PART = new Set(['body-too-large', 'corrupt-gzip']);

/** A part is being sent, or complete (it has a receipt), or was interrupted and must be sent again. */
export class PartIntake {
  readonly #deps: PartIntakeDeps;
  /** Parts that are being sent. */
  readonly #sending = new Set<number>();
  /** Aborted when the run ends, so that no upload keeps waiting for credit. */
  readonly #ending = new AbortController();

  constructor(deps: PartIntakeDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the rows of one part. Idempotent: a complete part gets the same receipt again.
   * @throws {RequestError} `run-sealed`, `run-ended`, `part-in-progress`, `part-conflict`, `overloaded`
   * @throws {UnavailableError} `redis-unavailable`
   */
  async add({ part, rows, sha256, signal, maxWaitMs, onHeld }: PartUpload): Promise<PartReceipt> {
    const { files, dispatcher, credits, credit, tokensPerSecond, turn, onUpload } = this.#deps;
    const { ledger, rowLog } = files;
    const known = ledger.receipts.get(part);
    if (known !== undefined) return await this.#repeat(known, rows, sha256);
    this.#assertOpen('accepts no more rows');
    if (this.#sending.has(part)) throw this.#inProgress(part);
    const writer = new PartWriter(
      {
        ledger,
        rowLog,
        dispatcher,
        credits,
        dim: ledger.model?.dim ?? BUILT_IN_DIM,
        tokensPerSecond,
        turn,
        assertOpen: () => this.#assertOpen('accepts no more rows'),
        hold: (batch) => credit.hold(batch),
      },
      {
        part,
        maxWaitMs,
        onHeld,
        signal: AbortSignal.any([this.#ending.signal, ...(signal === undefined ? [] : [signal])]),
      },
    );
    this.#sending.add(part);
    onUpload();
    try {
      return await writer.write(rows, sha256);
    } catch (error) {
      // Otherwise its first rows would stay, and come twice when the client splits the part.
      if (error instanceof EmbedmillError && ENDS_PART.has(error.code)) await this.#drop(part);
      throw error;
    } finally {
      this.#sending.delete(part);
    }
  }

  /**
   * Removes the rows of a part that was interrupted, so that the run can be sealed without it. Idempotent.
   * @throws {RequestError} `part-complete`, `part-in-progress`, `run-sealed`, `run-ended`
   */
  async drop(part: number): Promise<void> {
    const { ledger } = this.#deps.files;
    this.#assertOpen('keeps its parts');
    if (this.#sending.has(part)) throw this.#inProgress(part);
    if (ledger.receipts.has(part)) {
      throw new RequestError(
        'part-complete',
        `part ${part} of run ${ledger.created.id} is complete; only an interrupted part can be dropped`,
      );
    }
    await this.#drop(part);
  }

  async #drop(part: number): Promise<void> {
    const { files, turn, onDrop } = this.#deps;
    const { ledger } = files;
    await turn(async () => {
      const batches = ledger.batchesOfPart.get(part);
      if (batches === undefined || ledger.state !== 'open') return;
      await ledger.append([{ type: 'dropped', part }]);
      onDrop(batches);
    });
  }

  #inProgress(part: number): RequestError {
    return new RequestError(
      'part-in-progress',
      `part ${part} of run ${this.#deps.files.ledger.created.id} is being sent by another request`,
      { retryable: true, facts: { part } },
    );
  }

  /**
   * Records that all rows are in. Idempotent.
   * @throws {RequestError} `run-ended`, `parts-incomplete`
   */
  async seal(): Promise<void> {
    const { files, turn } = this.#deps;
    const { ledger } = files;
    // In turn with the uploads: none can write between the check of the parts and the seal.
    await turn(async () => {
      if (ledger.state === 'sealed' || ledger.state === 'completed') return;
      this.#assertOpen('cannot be sealed');
      const incomplete = [...ledger.batchesOfPart.keys()].filter((part) => !ledger.receipts.has(part));
      const parts = [...new Set([...incomplete, ...this.#sending])].sort((a, b) => a - b);
      if (parts.length > 0) {
        throw new RequestError(
          'parts-incomplete',
          `run ${ledger.created.id} cannot be sealed: parts ${parts.join(', ')} are incomplete; send them again, or drop them`,
          { facts: { parts } },
        );
      }
      await ledger.append([{ type: 'sealed', at: Date.now() }]);
    });
  }

  /** Ends all uploads; called after the run has ended. */
  end(): void {
    this.#ending.abort(this.#stateError('accepts no more rows'));
  }

  /** Reads a part that is complete once more; its rows must be the same. */
  async #repeat(
    known: PartReceipt,
    rows: AsyncIterable<readonly ColumnsRow[]>,
    sha256: () => string,
  ): Promise<PartReceipt> {
    for await (const _ of rows);
    const given = sha256();
    if (given === known.sha256) return known;
    const { id } = this.#deps.files.ledger.created;
    throw new RequestError(
      'part-conflict',
      `part ${known.part} of run ${id} already exists with other content (SHA-256 ${known.sha256}, now ${given})`,
    );
  }

  #assertOpen(consequence: string): void {
    if (this.#deps.files.ledger.state !== 'open') throw this.#stateError(consequence);
  }

  #stateError(consequence: string): RequestError {
    const { state, created } = this.#deps.files.ledger;
    const code = state === 'sealed' ? 'run-sealed' : 'run-ended';
    return new RequestError(code, `run ${created.id} is ${state} and ${consequence}`, { facts: { state } });
  }
}
