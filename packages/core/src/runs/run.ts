/** One run from its first part to its last vector; made and kept by `Runs`, fed by the API, finished by the collector. */

import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  asError,
  type BatchSummary,
  BUILT_IN_DIM,
  type PartReceipt,
  RequestError,
  type RowRead,
  type RunInfo,
  type RunOptions,
  type RunState,
} from '@embedmill/contract';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { vectorFingerprint } from '../redis/batch/fingerprint.ts';
import { peekBatchResult } from '../redis/batch/result.ts';
import type { ProducerExchange } from '../redis/exchange/types.ts';
import { isRedisFault } from '../redis/faults.ts';
import type { BatchQueue } from '../redis/queue/types.ts';
import type { Credits } from './credits.ts';
import { Dispatcher } from './dispatch.ts';
import { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import type { PaceSeries } from './pace.ts';
import { Progress } from './progress.ts';
import { findFailedRows } from './retry.ts';
import { RowLog } from './row-log.ts';
import type { ShardBatch } from './shards/shard.ts';
import { ShardIndex } from './shards/shard-index.ts';
import { StoredBatches } from './stored-batches.ts';

/** What all runs of a producer share. */
export interface RunDeps {
  /** Name of the data folder in Redis: where results for it are announced. */
  dataDirId: string;
  exchange: ProducerExchange;
  queue: BatchQueue;
  credits: Credits;
  /** Throws when another producer may have the data folder; asked before each write. */
  assertLeaseHeld: () => void;
  log: Logger;
}

/** What a new run starts with. */
export interface NewRunDeps {
  id: string;
  options: RunOptions;
  requestKey?: string | undefined;
  /** Content of the glossary whose id is in the options. */
  glossary?: Uint8Array | undefined;
}

/** The file with the content of a run's glossary. */
const GLOSSARY_FILE = 'glossary.json';

/** What became of a result that the collector offered. */
export type ReceivedResult = 'wanted' | 'stored' | 'refused';

/**
 * States of a run:
 *
 * - `open`: parts come in; batches are cut, enqueued and collected meanwhile. A new run is open.
 * - `sealed`: no more rows. Entered by `seal`, only when every part that was begun is whole; and by `retry` from `completed`
 *   when rows of it failed. Those rows alone are embedded again; all others keep their bytes.
 * - `completed`: sealed, and every batch is in a shard. Entered by itself, from `sealed` only.
 * - `cancelled`: entered by `cancel` from `open` or `sealed`. What is in shards stays readable.
 * - `failed`: the run's own files are damaged, so that a lost batch cannot be sent again. Entered by `fail`.
 *
 * States of a batch, as far as the producer knows:
 *
 * - cut: in memory of an intake. A crash forgets it; the part was not confirmed, so the client sends it again.
 * - on disk: its rows are in the row log and its entry in the ledger. It has a number and never leaves the run.
 * - enqueued: payload and job are in Redis. Redis may lose both; `reconcile` and `redo` send them again from the disk.
 * - done: a worker committed its result (done bit, ready entry). A second commit changes nothing.
 * - stored: its result is in a shard that survived fsync and rename. Only now the result is removed from Redis.
 * - retried: stored, and some of its rows are enqueued once more. Entered by `retry` only. Their result becomes a whole
 *   batch in a new shard, which counts from its rename on; with the ledger's next entry the batch is stored again.
 *
 * What can never happen: a batch is stored that is not on disk; a result leaves Redis before it is stored; a run is
 * completed with a batch missing; a row that has a vector changes.
 */
export class Run {
  readonly #deps: RunDeps;
  readonly #ledger: Ledger;
  readonly #rowLog: RowLog;
  readonly #shards: ShardIndex;
  readonly #stored: StoredBatches;
  readonly #dispatcher: Dispatcher;
  #progress = new Progress();
  readonly #received = new Set<number>();
  /** Batches whose credit the run holds: taken by the intake, given back once. */
  readonly #held = new Set<number>();
  /** Aborted when the run ends, so that no intake waits for credit in vain. */
  readonly #ending = new AbortController();
  readonly #intakes = new Map<number, Intake>();
  readonly #turn = pLimit(1);

  private constructor(parts: RunDeps, folder: string, ledger: Ledger, rowLog: RowLog, shards: ShardIndex) {
    this.#deps = parts;
    this.#ledger = ledger;
    this.#rowLog = rowLog;
    this.#shards = shards;
    this.#stored = new StoredBatches(ledger, shards);
    this.#dispatcher = new Dispatcher({
      ...parts,
      ledger,
      rowLog,
      readGlossary: () => readFile(join(folder, GLOSSARY_FILE)),
    });
    this.#countStored();
  }

  /** Starts a run in a new folder. */
  static async create(
    parts: RunDeps,
    folder: string,
    { id, options, requestKey, glossary }: NewRunDeps,
  ): Promise<Run> {
    parts.assertLeaseHeld();
    await mkdir(folder, { mode: 0o700 });
    if (glossary !== undefined) await writeSynced(join(folder, GLOSSARY_FILE), glossary);
    const ledger = await Ledger.create(join(folder, 'ledger.journal'), {
      type: 'created',
      id,
      at: Date.now(),
      options,
      ...(requestKey === undefined ? {} : { requestKey }),
    });
    const run = await Run.#openFiles(parts, folder, ledger);
    // The names of its files, and its own: what is in them is synced as it is written.
    await syncFolder(folder);
    await syncFolder(dirname(folder));
    return run;
  }

  /** Opens the run in this folder and claims credit for what may be in Redis; `reconcile` then brings Redis up to date. */
  static async open(parts: RunDeps, folder: string): Promise<Run> {
    const ledger = await Ledger.open(join(folder, 'ledger.journal'));
    const run = await Run.#openFiles(parts, folder, ledger);
    for (const batch of run.#outstanding()) run.#claimCredit(batch);
    return run;
  }

  static async #openFiles(parts: RunDeps, folder: string, ledger: Ledger): Promise<Run> {
    try {
      const shards = await ShardIndex.open(join(folder, 'shards'));
      return new Run(
        parts,
        folder,
        ledger,
        await RowLog.open(join(folder, 'rows.jsonl'), ledger.rowBytes),
        shards,
      );
    } catch (error) {
      await ledger.close();
      throw error;
    }
  }

  get id(): string {
    return this.#ledger.created.id;
  }

  /** What its creator calls the request that created it; undefined when it has no name. */
  get requestKey(): string | undefined {
    return this.#ledger.created.requestKey;
  }

  get options(): RunOptions {
    return this.#ledger.created.options;
  }

  get state(): RunState {
    return this.#ledger.state;
  }

  /** True until the run is completed, failed or cancelled. */
  get isActive(): boolean {
    return this.state === 'open' || this.state === 'sealed';
  }

  /** True while Redis may hold something of the run. */
  get isInRedis(): boolean {
    return this.isActive || !this.#ledger.isForgotten;
  }

  /** True when every batch so far is done, stored or not, and no more will come. */
  get isDone(): boolean {
    return this.state === 'sealed' && this.#progress.batches === this.#ledger.batches.length;
  }

  /** Receipts of the whole parts, in the order of their numbers. */
  get receipts(): PartReceipt[] {
    return [...this.#ledger.receipts.values()].sort((a, b) => a.part - b.part);
  }

  /** The receipt of a part that is whole. */
  receiptOf(part: number): PartReceipt | undefined {
    return this.#ledger.receipts.get(part);
  }

  /** What the API shows. */
  info(): RunInfo {
    const ledger = this.#ledger;
    const progress = this.#progress;
    const { rowsPerSecond, tokensPerSecond } = this.#rate();
    const left = ledger.acceptedRows - progress.rows;
    return {
      id: this.id,
      state: this.state,
      options: this.options,
      createdAt: isoTime(ledger.created.at),
      sealedAt: ledger.sealedAt === null ? null : isoTime(ledger.sealedAt),
      endedAt: ledger.ended === null ? null : isoTime(ledger.ended.at),
      error: ledger.ended?.error ?? null,
      parts: ledger.receipts.size,
      rows: { accepted: ledger.acceptedRows, rejected: ledger.rejectedRows, done: progress.rows },
      batches: { total: ledger.batches.length, done: progress.batches, stored: this.#stored.size },
      verdicts: { ...progress.verdicts },
      tokens: progress.tokens,
      lostTokens: progress.lostTokens,
      chunkedRows: progress.chunkedRows,
      replacements: progress.replacements,
      rowsPerSecond,
      tokensPerSecond,
      etaSeconds: this.isActive && rowsPerSecond > 0 ? left / rowsPerSecond : null,
      dim: ledger.model?.dim ?? null,
      fingerprint: ledger.model && vectorFingerprint(ledger.model.fingerprint, this.options),
    };
  }

  /**
   * Takes the rows of one part. The same part again changes nothing and gets the same receipt.
   * @param signal aborted when the client is gone
   * @param patienceMs longest wait for credit; absent: the sender is a stream that waits as long as it takes
   * @throws {RequestError} `run-sealed`, `run-ended`, `part-in-progress`, `part-conflict`, `overloaded`
   * @throws {UnavailableError} `redis-unavailable`
   */
  async addPart(
    part: number,
    rows: AsyncIterable<readonly RowRead[]>,
    sha256: () => string,
    signal?: AbortSignal,
    patienceMs?: number,
  ): Promise<PartReceipt> {
    const known = this.receiptOf(part);
    if (known !== undefined) return await this.#repeatPart(known, rows, sha256);
    this.#mustBe('open', 'takes no more rows');
    if (this.#intakes.has(part)) {
      throw new RequestError(
        'part-in-progress',
        `part ${part} of run ${this.id} is being sent by another request`,
        { retryable: true, facts: { part } },
      );
    }
    const intake = new Intake(
      {
        ledger: this.#ledger,
        rowLog: this.#rowLog,
        dispatcher: this.#dispatcher,
        credits: this.#deps.credits,
        dim: this.#ledger.model?.dim ?? BUILT_IN_DIM,
        turn: this.#turn,
        mustBeOpen: () => {
          this.#deps.assertLeaseHeld();
          this.#mustBe('open', 'takes no more rows');
        },
        patienceMs,
        hold: (batch) => this.#held.add(batch),
      },
      part,
      AbortSignal.any([this.#ending.signal, ...(signal === undefined ? [] : [signal])]),
    );
    this.#intakes.set(part, intake);
    this.#progress.start(Date.now());
    try {
      return await intake.take(rows, sha256);
    } finally {
      this.#intakes.delete(part);
    }
  }

  /**
   * Declares that all rows are in. Again changes nothing.
   * @throws {RequestError} `run-ended`, `parts-incomplete`
   */
  async seal(): Promise<void> {
    // In turn with the intakes: none can write between the look at the parts and the seal.
    await this.#turn(() => this.#sealInTurn());
    await this.#completeIfStored();
  }

  async #sealInTurn(): Promise<void> {
    if (this.state === 'sealed' || this.state === 'completed') return;
    this.#deps.assertLeaseHeld();
    this.#mustBe('open', 'cannot be sealed');
    const incomplete = [...this.#ledger.batchesOfPart.keys()].filter(
      (part) => !this.#ledger.receipts.has(part),
    );
    const unfinished = [...new Set([...incomplete, ...this.#intakes.keys()])].sort((a, b) => a - b);
    if (unfinished.length > 0) {
      throw new RequestError(
        'parts-incomplete',
        `run ${this.id} cannot be sealed: parts ${unfinished.join(', ')} were begun and not finished; send them again`,
        {
          facts: { parts: unfinished },
        },
      );
    }
    await this.#ledger.append([{ type: 'sealed', at: Date.now() }]);
  }

  /**
   * Embeds the failed rows of a completed run again: it is sealed until they are done. Rows that were bad before they came are
   * left, and so is a run without others. Again, while they are being embedded, changes nothing.
   * @throws {RequestError} `run-not-completed`
   */
  async retry(): Promise<void> {
    const batches = await this.#turn(async () => {
      if (this.#ledger.retries.size > 0) return [];
      if (this.state !== 'completed') {
        throw new RequestError(
          'run-not-completed',
          `run ${this.id} is ${this.state}; its failed rows can be retried once it is completed`,
          { facts: { state: this.state } },
        );
      }
      const rows = await findFailedRows(this.archive);
      this.#deps.assertLeaseHeld();
      if (rows.length > 0) await this.#ledger.append([{ type: 'retry', at: Date.now(), rows }]);
      return rows.map(([batch]) => batch);
    });
    if (batches.length === 0) return;
    for (const batch of batches) this.#claimCredit(batch);
    this.#progress = new Progress();
    this.#countStored();
    await this.reconcile().catch((error) => {
      // It is in the ledger, so the next comparison with Redis sends the rows.
      this.#deps.log.warn({ run: this.id, reason: asError(error).message }, 'a retry waits for Redis');
    });
  }

  /** Ends the run now; what is in shards stays readable. An ended run stays as it is. */
  async cancel(): Promise<void> {
    await this.#end('cancelled', null, () => this.isActive);
  }

  /** Ends the run because its own files are damaged. */
  async fail(reason: string): Promise<void> {
    this.#deps.log.error({ run: this.id, reason }, 'a run failed');
    await this.#end('failed', reason, () => this.isActive);
  }

  /**
   * Looks at a result that came from Redis: counts it, or has it done again when it cannot be used.
   * @returns `wanted`: store it; `stored`: it is on disk already; `refused`: it will be done again
   */
  async receive(
    batch: number,
    result: Uint8Array | null,
    summary: BatchSummary | null,
  ): Promise<ReceivedResult> {
    const entry = this.#ledger.batches[batch];
    if (!this.isActive || entry === undefined || this.#stored.has(batch)) return 'stored';
    const fault =
      result === null || summary === null
        ? 'there is no result in Redis'
        : this.#stored.faultOf(batch, result, this.options.precision);
    if (fault !== null) {
      this.#deps.log.warn({ run: this.id, batch, fault }, 'a batch must be done again');
      await this.#dispatcher.redo(batch);
      return 'refused';
    }
    if (this.#ledger.model === null) {
      // From the first result on, so that vectors of two models never meet in one output.
      const { dim, fingerprint } = peekBatchResult(result!, { verify: false });
      await this.#turn(() => this.#ledger.append([{ type: 'model', dim, fingerprint }]));
    }
    if (!this.#received.has(batch)) {
      this.#received.add(batch);
      const whole = await this.#stored.whole({ batch, result: result!, summary: summary! });
      this.#progress.add(whole.summary, Date.now());
    }
    return 'wanted';
  }

  /** Credit that a batch takes while it is in Redis, in bytes. */
  creditBytesOf(batch: number): number {
    return this.#ledger.batches[batch]?.creditBytes ?? 0;
  }

  /** Puts results on disk; when it resolves they survive a power cut, and may be acknowledged. */
  async store(batches: readonly ShardBatch[]): Promise<void> {
    this.#deps.assertLeaseHeld();
    await this.#stored.store(batches);
    const retried = batches.map(({ batch }) => batch).filter((batch) => this.#ledger.retries.has(batch));
    if (retried.length > 0)
      await this.#turn(() => this.#ledger.append([{ type: 'retried', batches: retried }]));
  }

  /** Gives back the credit of batches that are stored and acknowledged, and completes the run after the last one. */
  async settle(batches: readonly number[]): Promise<void> {
    for (const batch of batches) {
      this.#received.delete(batch);
      this.#giveCredit(batch);
    }
    await this.#completeIfStored();
  }

  /** Brings Redis up to date with the disk: after a restart of this process or of Redis. An ended run is forgotten there. */
  async reconcile(): Promise<void> {
    if (!this.isActive) {
      await this.forget();
      return;
    }
    this.#progress.start(Date.now());
    await this.#dispatcher.reconcile(this.#outstanding());
    await this.#completeIfStored();
  }

  /** Removes what Redis still holds of a run that has ended. Again changes nothing. */
  async forget(): Promise<void> {
    if (!this.isInRedis || this.isActive) return;
    await this.#deps.exchange.closeRun(this.id, this.#stored.missing());
    await this.#turn(() => this.#ledger.append([{ type: 'forgotten' }]));
  }

  /** Sends what Redis could not take before. */
  async sendUnsent(): Promise<void> {
    if (this.isActive && this.#dispatcher.unsent > 0) await this.#dispatcher.sendUnsent();
  }

  /** Sees to it that workers find the glossary of the run; without one, does nothing. */
  async offerGlossary(): Promise<void> {
    await this.#dispatcher.offerGlossary();
  }

  /** What `readResults` and `readReport` read from. */
  get archive(): { ledger: Ledger; rowLog: RowLog; shards: ShardIndex } {
    return { ledger: this.#ledger, rowLog: this.#rowLog, shards: this.#shards };
  }

  /** What was done when, since this process started. */
  get pace(): PaceSeries {
    return this.#progress.pace.series();
  }

  async close(): Promise<void> {
    await this.#turn(async () => {
      await this.#ledger.close();
      await this.#rowLog.close();
    });
  }

  async #repeatPart(
    known: PartReceipt,
    rows: AsyncIterable<readonly RowRead[]>,
    sha256: () => string,
  ): Promise<PartReceipt> {
    for await (const _ of rows);
    const given = sha256();
    if (given === known.sha256) return known;
    throw new RequestError(
      'part-conflict',
      `part ${known.part} of run ${this.id} is there already, with other bytes (SHA-256 ${known.sha256}, now ${given})`,
    );
  }

  #mustBe(state: RunState, otherwise: string): void {
    if (this.state !== state) throw this.#stateError(otherwise);
  }

  #stateError(otherwise: string): RequestError {
    const code = this.state === 'sealed' ? 'run-sealed' : 'run-ended';
    return new RequestError(code, `run ${this.id} is ${this.state} and ${otherwise}`, {
      facts: { state: this.state },
    });
  }

  #outstanding(): number[] {
    return this.isActive ? this.#stored.missing() : [];
  }

  #countStored(): void {
    for (const summary of this.#stored.summaries()) this.#progress.add(summary, null);
  }

  #rate(): { rowsPerSecond: number; tokensPerSecond: number } {
    const { ended, created } = this.#ledger;
    if (ended === null) return this.#progress.rate(Date.now());
    const seconds = Math.max(0.001, (ended.at - created.at) / 1000);
    return { rowsPerSecond: this.#progress.rows / seconds, tokensPerSecond: this.#progress.tokens / seconds };
  }

  async #completeIfStored(): Promise<void> {
    await this.#end('completed', null, () => {
      return this.state === 'sealed' && this.#stored.size >= this.#ledger.batches.length;
    });
  }

  /** Ends the run in turn with its intakes, if `isDue` still holds then; and has Redis forget it, now or when it is there again. */
  async #end(
    state: 'completed' | 'cancelled' | 'failed',
    error: string | null,
    isDue: () => boolean,
  ): Promise<void> {
    if (!isDue()) return;
    const hasEnded = await this.#turn(async () => {
      if (!isDue()) return false;
      this.#deps.assertLeaseHeld();
      await this.#ledger.append([{ type: 'ended', at: Date.now(), state, error }]);
      return true;
    });
    if (!hasEnded) return;
    const { rows, batches } = this.#progress;
    this.#deps.log.info({ run: this.id, state, rows, batches }, 'a run has ended');
    this.#received.clear();
    for (const batch of [...this.#held]) this.#giveCredit(batch);
    this.#ending.abort(this.#stateError('takes no more rows'));
    await this.forget().catch((fault) => {
      if (!isRedisFault(fault)) throw fault;
      this.#deps.log.warn({ run: this.id, reason: asError(fault).message }, 'Redis forgets the run later');
    });
  }

  /** For batches that are known already; they do not wait, or a restart could wait for itself. */
  #claimCredit(batch: number): void {
    this.#deps.credits.claim(this.#ledger.batches[batch]!.creditBytes);
    this.#held.add(batch);
  }

  #giveCredit(batch: number): void {
    if (this.#held.delete(batch)) this.#deps.credits.give(this.#ledger.batches[batch]!.creditBytes);
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A file that is on the disk when it resolves; its name is when its folder is synced. */
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
