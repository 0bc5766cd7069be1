/** One run from its first part to its last vector: states, transitions and what belongs to it. */

import {
  asError,
  type BatchSummary,
  CorruptError,
  type PartReceipt,
  RequestError,
  type RunInfo,
  type RunOptions,
  type RunState,
  UnavailableError,
} from '@embedmill/contract';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { isRedisFault } from '../process/faults.ts';
import { steadyNow } from '../process/steady-clock.ts';
import { glossaryIdOf } from '../redis/batch/glossary.ts';
import { peekBatchResult, summarizeResult } from '../redis/batch/result.ts';
import type { ProducerExchange } from '../redis/exchange/types.ts';
import type { BatchQueue } from '../redis/queue/types.ts';
import type { Credits } from './credits.ts';
import { Dispatcher } from './dispatch.ts';
import type { Ledger } from './ledger.ts';
import type { PaceSeries } from './pace.ts';
import { PartIntake, type PartUpload } from './part-intake.ts';
import { PartWaits } from './part-waits.ts';
import { type BatchOutput, ResultStore } from './result-store.ts';
import { findFailedRows } from './retry.ts';
import { RunCredit } from './run-credit.ts';
import { type NewRun, RunFiles } from './run-files.ts';
import { describeRun } from './run-info.ts';

/** What all runs of a producer share. */
export interface RunDeps {
  /** Id of the data folder in Redis: workers announce results under it. */
  dataDirId: string;
  exchange: ProducerExchange;
  queue: BatchQueue;
  credits: Credits;
  /** What work for a model waits for, as a sentence; `null` for nothing. Default: nothing is known. */
  missingFor?: (wanted: { model: string; fingerprint: string | undefined }) => string | null;
  /** Estimated tokens per second of a thread with this model; default: unknown. */
  tokensPerSecondOf?: (model: string) => number | undefined;
  /** Throws unless this producer owns the data folder and holds its lease; called by the files before each write. */
  assertLeaseHeld: () => void;
  /** When the retention may delete the run, as ISO 8601; `null` for never. Default: never. */
  expiresAtOf?: (run: Pick<Run, 'keptFrom' | 'keepDays'>) => string | null;
  /** Called when an unloaded run is loaded again. */
  onLoad?: (run: Run) => void;
  log: Logger;
}

/** What a loaded run consists of. */
interface Loaded {
  files: RunFiles;
  results: ResultStore;
  dispatcher: Dispatcher;
  credit: RunCredit;
  intake: PartIntake;
}

/** What is kept in memory of an unloaded run; its size does not depend on the number of rows. */
interface RunSummary {
  created: Ledger['created'];
  state: RunState;
  info: RunInfo;
  keptFrom: number | null;
  /** At most 240 numbers; empty if the run ended before this process started. */
  pace: PaceSeries;
}

/** What became of a result that the collector offered. */
export type ReceivedResult = { status: 'wanted'; batch: BatchOutput } | { status: 'stored' | 'refused' };

/**
 * States of a run:
 *
 * - `open`: accepts parts, while batches are cut, enqueued and collected. A new run is open.
 * - `sealed`: no more rows. Entered by `seal`, only when every part is complete; and by `retry` from
 *   `completed` when some of its rows failed. Only those rows are embedded again; all others keep their
 *   bytes.
 * - `completed`: sealed, and every batch is in a shard. Entered automatically, from `sealed` only.
 * - `cancelled`: entered by `cancel` from `open` or `sealed`. What is in shards stays readable.
 * - `failed`: the run's own files are damaged, so a lost batch cannot be sent again. Entered by `fail`.
 *
 * States of a batch, as the producer sees it:
 *
 * - cut: in memory of a part writer. A crash loses it; its part was not confirmed, so the client sends it
 *   again.
 * - on disk: its rows are in the row log and its entry is in the ledger. It has a number and never leaves the
 *   run.
 * - enqueued: payload and job are in Redis. Redis may lose both; `reconcile` and `redo` send them again from
 *   the disk.
 * - done: a worker committed its result (done bit, ready entry). A second commit has no effect.
 * - stored: its result is in a shard that was synced and renamed. Only now is the result removed from Redis.
 * - retried: stored, and some of its rows are enqueued once more. Entered by `retry` only. The new rows are
 *   merged into a whole batch in a new shard, which counts once it is renamed; the next ledger entry makes
 *   the batch stored again.
 *
 * A run that has ended and is not used is unloaded: only its description stays in memory, so that memory does not grow
 * with the rows of finished runs. `hold` loads it again.
 *
 * What can never happen: a batch is stored that is not on disk; a result leaves Redis before it is stored; a
 * run is completed with a batch missing; a row with a vector changes.
 */
export class Run {
  readonly #deps: RunDeps;
  readonly #folder: string;
  /** `null` while the run is unloaded. */
  #loaded: Loaded | null;
  /** What is known of the run while it is unloaded. */
  #summary: RunSummary | null = null;
  #loading: Promise<Loaded> | null = null;
  /** Number of holds. */
  #holds = 0;
  #usedAt = steadyNow();
  readonly #waits = new PartWaits();
  /** Serializes the writes to the ledger and the row log. */
  readonly #turn = pLimit(1);
  #asideReason: string | null = null;

  private constructor(deps: RunDeps, folder: string, files: RunFiles) {
    this.#deps = deps;
    this.#folder = folder;
    this.#loaded = this.#parts(files);
  }

  #parts(files: RunFiles): Loaded {
    const deps = this.#deps;
    const results = new ResultStore({ files, turn: this.#turn });
    const dispatcher = new Dispatcher({ ...deps, files });
    const credit = new RunCredit(deps.credits, files.ledger);
    const intake = new PartIntake({
      files,
      dispatcher,
      credits: deps.credits,
      credit,
      tokensPerSecond: () => deps.tokensPerSecondOf?.(this.options.model),
      turn: this.#turn,
      onUpload: () => results.progress.start(steadyNow()),
      onDrop: (batches) => {
        dispatcher.forget(batches);
        results.recount();
        results.progress.start(steadyNow());
      },
    });
    return { files, results, dispatcher, credit, intake };
  }

  get #files(): RunFiles {
    return this.#assertLoaded().files;
  }

  get #results(): ResultStore {
    return this.#assertLoaded().results;
  }

  get #dispatcher(): Dispatcher {
    return this.#assertLoaded().dispatcher;
  }

  get #credit(): RunCredit {
    return this.#assertLoaded().credit;
  }

  get #intake(): PartIntake {
    return this.#assertLoaded().intake;
  }

  #assertLoaded(): Loaded {
    if (this.#loaded !== null) return this.#loaded;
    throw new Error(`run ${this.id} is used without a hold while it is unloaded`);
  }

  /** Starts a run in a new folder. */
  static async create(deps: RunDeps, folder: string, newRun: NewRun): Promise<Run> {
    return new Run(deps, folder, await RunFiles.create(folder, newRun, filesDepsOf(deps)));
  }

  /**
   * Opens the run and claims credit for its unstored batches; `reconcile` then updates Redis.
   * @throws {CorruptError} when a file is damaged or missing
   */
  static async open(deps: RunDeps, folder: string): Promise<Run> {
    const run = new Run(deps, folder, await RunFiles.open(folder, filesDepsOf(deps)));
    const { foreign } = run.files.shards;
    if (foreign.length > 0) {
      deps.log.warn(
        { run: run.id, batches: foreign.length },
        'shards contain batches that are not in the ledger, which may be older than they are; they do not count',
      );
    }
    const missing = run.state === 'completed' ? run.#results.missing().length : 0;
    if (missing > 0) {
      throw new CorruptError(
        'missing-batch',
        `${folder} is completed according to its ledger, but ${missing} of its batches are in no shard`,
      );
    }
    for (const batch of run.#outstanding()) run.#credit.claim(batch);
    return run;
  }

  /**
   * Reads all rows, results and the glossary once, and compares them with their checksums and with the ledger.
   * @throws {CorruptError} when one is damaged
   */
  async verify(): Promise<void> {
    await this.#held(async () => {
      const { ledger, shards, rowLog } = this.#files;
      const { glossary = null } = this.options;
      // Workers find glossaries by this id, also those of other runs.
      if (glossary !== null && glossary !== glossaryIdOf(await this.#files.readGlossary()))
        throw new CorruptError(
          'corrupt-rows',
          `the glossary of run ${this.id} has another content than its id says`,
        );
      for (const [batch, { span, rows }] of ledger.batches.entries()) {
        const kept = await rowLog.read(span);
        const result = await shards.read(batch);
        const header = result === null ? null : peekBatchResult(result);
        if (
          kept.length !== rows ||
          (header !== null && (header.rows !== rows || header.dim !== ledger.model?.dim))
        )
          throw new CorruptError(
            'corrupt-result',
            `batch ${batch} of run ${this.id} is not the one in its ledger`,
          );
      }
    });
  }

  /** Closes the files and returns the credit of the run. */
  async close(): Promise<void> {
    const loaded = this.#loaded;
    if (loaded === null) return;
    loaded.credit.giveAll();
    await this.#turn(() => loaded.files.close());
  }

  /**
   * Loads the run if it is unloaded, and keeps it loaded and safe from the retention until the function that it resolves
   * with is called.
   * @throws {CorruptError} when a file was damaged since the run was unloaded
   */
  async hold(): Promise<() => void> {
    this.#holds += 1;
    try {
      if (this.#loaded === null) {
        this.#loading ??= RunFiles.open(this.#folder, filesDepsOf(this.#deps)).then((files) =>
          this.#parts(files),
        );
        this.#loaded = await this.#loading;
        this.#deps.onLoad?.(this);
      }
    } catch (error) {
      this.#holds -= 1;
      throw error;
    } finally {
      this.#loading = null;
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      this.#usedAt = steadyNow();
    };
  }

  /** Whether something holds the run. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Whether the index of its batches is in memory. */
  get isLoaded(): boolean {
    return this.#loaded !== null;
  }

  /**
   * Frees the index of the batches of a run that has ended and that nothing has held for `idleMs`; no effect on others.
   * @returns whether the run is unloaded
   */
  unload(idleMs: number): boolean {
    if (this.#loaded === null) return true;
    const isBusy = this.isHeld || this.isInRedis || this.#turn.activeCount + this.#turn.pendingCount > 0;
    if (isBusy || steadyNow() - this.#usedAt < idleMs) return false;
    const { ledger } = this.#files;
    this.#summary = {
      created: ledger.created,
      state: this.state,
      info: this.info(),
      keptFrom: this.keptFrom,
      pace: this.pace,
    };
    this.#loaded = null;
    return true;
  }

  get #created(): RunSummary['created'] {
    return this.#loaded?.files.ledger.created ?? this.#summary!.created;
  }

  get id(): string {
    return this.#created.id;
  }

  /** Name that its creator gave the request; undefined when it gave none. */
  get requestKey(): string | undefined {
    return this.#created.requestKey;
  }

  get options(): RunOptions {
    return this.#created.options;
  }

  /** Days for which the run is kept after its end; undefined for the default of the producer. */
  get keepDays(): number | undefined {
    return this.#created.keepDays;
  }

  /** When the run ended or was imported, in milliseconds since 1970; `null` for an active run. */
  get keptFrom(): number | null {
    return this.#loaded === null ? this.#summary!.keptFrom : this.#loaded.files.ledger.keptFrom;
  }

  get state(): RunState {
    return this.#loaded?.files.ledger.state ?? this.#summary!.state;
  }

  /** True until the run is completed, failed or cancelled. */
  get isActive(): boolean {
    return this.state === 'open' || this.state === 'sealed';
  }

  /** True while Redis may hold keys of the run. */
  get isInRedis(): boolean {
    return this.isActive || this.#loaded?.files.ledger.isForgotten === false;
  }

  /** True when the run is sealed and every batch is done, stored or not. */
  get isDone(): boolean {
    return this.state === 'sealed' && this.#results.progress.batches === this.#files.ledger.keptBatches;
  }

  /** Receipts of the complete parts, ordered by part number. The run must be held or active. */
  get receipts(): PartReceipt[] {
    return [...this.#files.ledger.receipts.values()].sort((a, b) => a.part - b.part);
  }

  /** Receipt of a complete part. The run must be held or active. */
  receiptOf(part: number): PartReceipt | undefined {
    return this.#files.ledger.receipts.get(part);
  }

  /** Files to read texts, results and reports from. The run must be held or active. */
  get files(): RunFiles {
    return this.#files;
  }

  /** Throughput over time, since this process started. */
  get pace(): PaceSeries {
    const series = this.#loaded?.results.progress.pace.series();
    // What is loaded again knows nothing of the time before.
    return series === undefined || series.startedAt === null ? (this.#summary?.pace ?? series!) : series;
  }

  /** Why the run is set aside; `null` while it is not. */
  get asideReason(): string | null {
    return this.#asideReason;
  }

  /**
   * Stops work for this run until `resume`: its results stay in Redis, its credit goes to other runs, and new parts are
   * refused. For a fault of this run alone that may be repaired, such as a missing file.
   */
  setAside(reason: string): void {
    if (this.#asideReason !== reason)
      this.#deps.log.error({ run: this.id, reason }, 'a run is set aside; others continue');
    this.#asideReason = reason;
    this.#loaded?.credit.giveAll();
  }

  /** Ends `setAside`; no effect on other runs. */
  resume(): void {
    if (this.#asideReason === null) return;
    this.#asideReason = null;
    this.#deps.log.info({ run: this.id }, 'a run that was set aside continues');
    for (const batch of this.#outstanding()) this.#credit.claim(batch);
  }

  /** The run as the API shows it. */
  info(): RunInfo {
    if (this.#loaded === null) return this.#summary!.info;
    return describeRun({
      bytes: this.#files.bytes,
      expiresAt: this.#deps.expiresAtOf?.(this) ?? null,
      asideReason: this.#asideReason,
      waitsFor: this.#waitsFor(),
      ledger: this.#files.ledger,
      progress: this.#results.progress,
      storedBatches: this.#results.size,
    });
  }

  /** What an active run waits for; `null` if nothing is known to be missing. */
  #waitsFor(): string | null {
    if (!this.isActive || this.isDone) return null;
    const { model, precision } = this.options;
    const fingerprint = precision === 'int8' ? this.#files.ledger.model?.fingerprint : undefined;
    return this.#deps.missingFor?.({ model, fingerprint }) ?? null;
  }

  /** Takes the rows of one part. @see PartIntake.add */
  async addPart(upload: PartUpload): Promise<PartReceipt> {
    if (this.#asideReason !== null) {
      throw new UnavailableError('unavailable', `run ${this.id} is set aside: ${this.#asideReason}`);
    }
    const receipt = await this.#held(() => this.#intake.add(upload));
    this.#waits.check();
    return receipt;
  }

  /** True while someone waits for the vectors of a part. */
  get isAwaited(): boolean {
    return this.#waits.count > 0;
  }

  /** True when a part is complete and all its rows are stored. */
  isPartStored(part: number): boolean {
    const { receipts, batchesOfPart } = this.#files.ledger;
    return receipts.has(part) && (batchesOfPart.get(part) ?? []).every((batch) => this.#results.has(batch));
  }

  /**
   * Resolves with true once a part is complete and all its rows are stored, or with false when `signal` is aborted first.
   * @throws {RequestError} `run-ended` if that can no longer happen
   */
  async whenPartStored(part: number, signal: AbortSignal): Promise<boolean> {
    return await this.#waits.until(() => {
      if (this.isPartStored(part)) return true;
      if (this.isActive) return false;
      throw new RequestError(
        'run-ended',
        `run ${this.id} is ${this.state} without the rows of part ${part}`,
        {
          facts: { state: this.state },
        },
      );
    }, signal);
  }

  /** Removes the rows of an incomplete part. @see PartIntake.drop */
  async dropPart(part: number): Promise<void> {
    await this.#held(() => this.#intake.drop(part));
  }

  /** Records that all rows are in. @see PartIntake.seal */
  async seal(): Promise<void> {
    await this.#held(async () => {
      await this.#intake.seal();
      await this.#completeIfStored();
    });
  }

  /**
   * Embeds the failed rows of a completed run again: the run is sealed until they are done. Rows that were
   * rejected on input stay failed. No effect on a run without failed rows, or while a retry is in progress.
   * @throws {RequestError} `run-not-completed`
   */
  async retry(): Promise<void> {
    await this.#held(() => this.#retry());
  }

  async #retry(): Promise<void> {
    const { ledger } = this.#files;
    const batches = await this.#turn(async () => {
      if (ledger.retries.size > 0) return [];
      if (this.state !== 'completed') {
        throw new RequestError(
          'run-not-completed',
          `run ${this.id} is ${this.state}; its failed rows can be retried once it is completed`,
          { facts: { state: this.state } },
        );
      }
      const rows = await findFailedRows(this.#files);
      if (rows.length > 0) await ledger.append([{ type: 'retry', at: Date.now(), rows }]);
      return rows.map(([batch]) => batch);
    });
    if (batches.length === 0) return;
    for (const batch of batches) this.#credit.claim(batch);
    this.#results.recount();
    await this.reconcile().catch((error) => {
      // The ledger has the retry, so the next `reconcile` sends the rows.
      this.#deps.log.warn({ run: this.id, reason: asError(error).message }, 'a retry waits for Redis');
    });
  }

  /** Ends the run now; what is in shards stays readable. No effect on a run that has ended. */
  async cancel(): Promise<void> {
    await this.#end('cancelled', null, () => this.isActive);
  }

  /** Ends the run because its own files are damaged. */
  async fail(reason: string): Promise<void> {
    this.#deps.log.error({ run: this.id, reason }, 'run failed');
    await this.#end('failed', reason, () => this.isActive);
  }

  /**
   * Checks a result that came from Redis: counts it, or has the batch done again when the result is unusable.
   * @param summary `null`: computed from the result
   * @returns `wanted`: store it; `stored`: it is already on disk, or no longer needed; `refused`: the batch is enqueued again
   */
  async receive(
    batch: number,
    result: Uint8Array | null,
    summary: BatchSummary | null,
  ): Promise<ReceivedResult> {
    if (!this.isActive) return { status: 'stored' };
    const isKnown = this.#files.ledger.batches[batch] !== undefined;
    const isDropped = this.#files.ledger.droppedBatches.has(batch);
    if (!isKnown || isDropped || this.#results.has(batch)) return { status: 'stored' };
    const fault = result === null ? 'its result is not in Redis' : this.#results.faultOf(batch, result);
    if (fault !== null) {
      this.#deps.log.warn({ run: this.id, batch, fault }, 'batch must be done again');
      await this.#dispatcher.redo(batch);
      return { status: 'refused' };
    }
    const known = summary ?? summarizeResult(result!);
    const received = { batch, result: result!, summary: known };
    const isFirst = this.#files.ledger.model === null;
    await this.#results.count(received);
    // From now on, workers with another model hand the batches of this run back without computing them.
    if (isFirst) await this.#dispatcher.openRun();
    return { status: 'wanted', batch: received };
  }

  /** Bytes of credit that a batch takes while it is in Redis. */
  creditBytesOf(batch: number): number {
    return this.#loaded?.credit.bytesOf(batch) ?? 0;
  }

  /** Writes results to disk; when it resolves, they survive a power cut and may be acknowledged. */
  async store(batches: readonly BatchOutput[]): Promise<void> {
    await this.#results.store(batches);
    this.#waits.check();
  }

  /** Returns the credit of batches that are stored and acknowledged; completes the run after the last one. */
  async settle(batches: readonly number[]): Promise<void> {
    if (this.#loaded === null) return;
    for (const batch of batches) {
      this.#results.settle(batch);
      this.#credit.give(batch);
    }
    await this.#completeIfStored();
  }

  /**
   * Makes Redis match the disk after a restart of either, or after a loss of keys. The keys of an ended run are deleted.
   * @returns the batches whose results are in Redis
   */
  async reconcile(): Promise<number[]> {
    if (!this.isActive) {
      await this.deleteKeys();
      return [];
    }
    this.#results.progress.start(steadyNow());
    const ready = await this.#dispatcher.reconcile(this.#outstanding());
    await this.#completeIfStored();
    return ready;
  }

  /** Deletes the Redis keys of a run that has ended. Idempotent. */
  async deleteKeys(): Promise<void> {
    if (!this.isInRedis || this.isActive) return;
    await this.#deps.exchange.closeRun(this.id, this.#results.missing());
    await this.#turn(() => this.#files.ledger.append([{ type: 'forgotten' }]));
  }

  /** Sends the batches that Redis did not accept before. */
  async sendUnsent(): Promise<void> {
    if (this.isActive && this.#dispatcher.unsent > 0) await this.#dispatcher.sendUnsent();
  }

  /** Makes the run's glossary available to workers; no effect on a run without one. */
  async offerGlossary(): Promise<void> {
    await this.#held(() => this.#dispatcher.offerGlossary());
  }

  async #held<Value>(work: () => Promise<Value>): Promise<Value> {
    const release = await this.hold();
    try {
      return await work();
    } finally {
      release();
    }
  }

  #outstanding(): number[] {
    return this.isActive ? this.#results.missing() : [];
  }

  async #completeIfStored(): Promise<void> {
    await this.#end('completed', null, () => {
      return this.state === 'sealed' && this.#results.size >= this.#files.ledger.keptBatches;
    });
  }

  /**
   * Ends the run, in turn with its uploads, if `isDue` still holds then; deletes its keys, now or once Redis
   * is back.
   */
  async #end(
    state: 'completed' | 'cancelled' | 'failed',
    error: string | null,
    isDue: () => boolean,
  ): Promise<void> {
    if (!isDue()) return;
    const hasEnded = await this.#turn(async () => {
      if (!isDue()) return false;
      await this.#files.ledger.append([{ type: 'ended', at: Date.now(), state, error }]);
      return true;
    });
    if (!hasEnded) return;
    const { rows, batches } = this.#results.progress;
    this.#deps.log.info({ run: this.id, state, rows, batches }, 'run ended');
    this.#credit.giveAll();
    this.#intake.end();
    this.#waits.check();
    await this.deleteKeys().catch((fault) => {
      if (!isRedisFault(fault)) throw fault;
      const reason = asError(fault).message;
      this.#deps.log.warn({ run: this.id, reason }, 'keys of the run will be deleted when Redis is back');
    });
  }
}

function filesDepsOf({ assertLeaseHeld }: RunDeps): AppendedFileDeps {
  return { assertWritable: assertLeaseHeld };
}
