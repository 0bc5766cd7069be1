/**
 * The OpenAI batch of one input file, up to its output files; created and kept by `OpenAiBatchStore`.
 * Decision: docs/decisions/0060.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError, CorruptError, RequestError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { type Run, type Runs, readFinished } from '@embedmill/core/runs';
import type { Logger } from 'pino';
import { type FileStore, newFileId } from '../files/file-store.ts';
import type { BatchLedger } from './batch-ledger.ts';
import { createRunOfBatch, feedRun } from './batch-run.ts';
import type { InputOptions } from './input-lines.ts';
import { writeOutputFiles } from './output-files.ts';
import { type OutputSource, outputLines } from './output-lines.ts';
import type { BatchEnd, BatchFault, BatchState } from './types.ts';
import { validateInput } from './validate-input.ts';

/** What all batches of a producer share. */
export interface OpenAiBatchDeps {
  runs: Runs;
  files: FileStore;
  config: Config;
  /** Throws unless this producer owns the data folder and holds its lease; called before each write. */
  assertLeaseHeld: () => void;
  log: Logger;
}

/** How often a batch checks whether its run has ended. */
const POLL_MS = 100;
/** Pause after an error of Redis or of the disk. */
const RETRY_PAUSE_MS = 1000;
/** Maximum delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The input file in the folder of the batch: a link, so that the client may delete the uploaded file. */
export const INPUT_NAME = 'input.jsonl';
/** The journal in the folder of the batch. */
export const LEDGER_NAME = 'ledger.journal';

/**
 * States:
 *
 * - `validating`: the initial state. The input file is read and checked; nothing has been embedded.
 * - `failed`: a line makes the file unusable, or the run of the batch is lost. Entered from any state before
 *   `finalizing`.
 * - `in_progress`: the texts are in a run, or are being added to it.
 * - `finalizing`: the run has ended, and its vectors are written to the output file.
 * - `completed`: entered from `finalizing` only, whatever the outcome of single lines.
 * - `cancelling`: `cancel` was called. The run is cancelled, and its finished rows are written to the output
 *   file.
 * - `cancelled`, `expired`: entered when those files exist; `expired` if the completion window ended first.
 *
 * Every step starts from what is on disk (the ledger of the batch, the ledger of the run, the files) and may
 * be repeated: the same input gives the same rows and the same lines. After a crash, `start` continues the
 * batch.
 */
export class OpenAiBatch {
  readonly #deps: OpenAiBatchDeps;
  readonly #folder: string;
  readonly #ledger: BatchLedger;
  /** Aborted when the current step is obsolete: the batch was cancelled or expired, or the process stops. */
  #halt = new AbortController();
  #isClosing = false;
  #work: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: OpenAiBatchDeps, folder: string, ledger: BatchLedger) {
    this.#deps = deps;
    this.#folder = folder;
    this.#ledger = ledger;
  }

  get id(): string {
    return this.#ledger.created.id;
  }

  /** The durable facts of the batch. */
  get ledger(): Omit<BatchLedger, 'append' | 'close'> {
    return this.#ledger;
  }

  get state(): BatchState {
    const { ended, stopping, finalizing, validated } = this.#ledger;
    if (ended !== undefined) return ended.state;
    if (stopping?.why === 'cancelled') return 'cancelling';
    if (finalizing !== undefined) return 'finalizing';
    return validated === undefined ? 'validating' : 'in_progress';
  }

  /** The run that embeds the texts; `undefined` before it is created and after it was removed. */
  get run(): Run | undefined {
    return this.#ledger.run === undefined ? undefined : this.#deps.runs.find(this.#ledger.run);
  }

  /** Starts or continues the batch; has no effect on an ended one. */
  start(): void {
    if (this.#ledger.ended !== undefined) return;
    this.#armTimer();
    this.#work = this.#workToEnd();
  }

  /**
   * Stops the batch and keeps what is done. Idempotent; has no effect once the output is being written.
   * @throws {RequestError} `batch-ended`
   */
  async cancel(): Promise<void> {
    if (this.#ledger.ended !== undefined) {
      throw new RequestError('batch-ended', `Cannot cancel a batch with status '${this.state}'.`);
    }
    await this.#stop('cancelled');
  }

  /** The beginning of the future output file: the completed lines before the first unfinished one. */
  async *outputSoFar(): AsyncGenerator<Uint8Array> {
    for await (const line of outputLines(this.#source)) {
      if (line.kind === 'undone') return;
      if (line.kind === 'completed') yield Buffer.from(line.text);
    }
  }

  /** Stops working on the batch; the next process continues it. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    this.#halt.abort(new Error('the producer is stopping'));
    await this.#work;
    await this.#ledger.close();
  }

  async #stop(why: 'cancelled' | 'expired'): Promise<void> {
    const { stopping, finalizing } = this.#ledger;
    if (stopping !== undefined || finalizing !== undefined) return;
    await this.#ledger.append({ type: 'stopping', at: Date.now(), why });
    this.#halt.abort(new Error(`the batch was ${why}`));
  }

  #armTimer(): void {
    const leftMs = this.#ledger.created.expiresAt - Date.now();
    this.#timer = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) this.#armTimer();
        else void this.#stop('expired').catch(() => this.#armTimer());
      },
      Math.max(RETRY_PAUSE_MS / 10, Math.min(leftMs, MAX_TIMER_MS)),
    );
    this.#timer.unref();
  }

  async #workToEnd(): Promise<void> {
    while (!this.#isClosing && this.#ledger.ended === undefined) {
      try {
        await this.#step();
      } catch (error) {
        if (this.#isClosing) return;
        const wasHalted = this.#halt.signal.aborted;
        // A stop ends the current step only; the steps that follow need a fresh signal.
        if (wasHalted) this.#halt = new AbortController();
        else await this.#handleFailure(error);
      }
    }
    clearTimeout(this.#timer);
  }

  /** One step forward, starting from what is on disk. */
  async #step(): Promise<void> {
    const { stopping, finalizing, validated } = this.#ledger;
    if (finalizing !== undefined) return await this.#writeOutput(finalizing);
    if (stopping !== undefined) {
      await this.run?.cancel();
      return await this.#finalize();
    }
    if (validated === undefined) return await this.#validate();
    const run = await this.#findOrCreateRun();
    if (run === undefined) return await this.#fail('run_removed', 'The run of this batch was removed.');
    if (run.state === 'open') await feedRun(run, this.#inputPath, this.#inputOptions, this.#halt.signal);
    while (run.isActive) await sleep(POLL_MS, undefined, { signal: this.#halt.signal });
    if (run.state === 'failed') {
      return await this.#fail('run_failed', `The run of this batch failed: ${run.info().error}`);
    }
    // The run itself was cancelled through the native API.
    if (run.state === 'cancelled') return await this.#stop('cancelled');
    await this.#finalize();
  }

  async #validate(): Promise<void> {
    const limits = { maxLines: this.#deps.config.maxBatchLines, signal: this.#halt.signal };
    const found = await validateInput(this.#inputPath, this.#inputOptions, limits);
    this.#halt.signal.throwIfAborted();
    if (found.faults === null) {
      await this.#ledger.append({ type: 'validated', at: Date.now(), ...found.summary });
    } else await this.#end({ state: 'failed', faults: found.faults });
  }

  /** Returns `undefined` if the run was removed. */
  async #findOrCreateRun(): Promise<Run | undefined> {
    if (this.#ledger.run !== undefined) return this.run;
    const run = await createRunOfBatch(this.id, this.#deps);
    await this.#ledger.append({ type: 'started', run: run.id });
    return run;
  }

  async #finalize(): Promise<void> {
    const [outputFileId, errorFileId] = [newFileId(), newFileId()];
    await this.#ledger.append({ type: 'finalizing', at: Date.now(), outputFileId, errorFileId });
  }

  async #writeOutput({
    outputFileId,
    errorFileId,
  }: {
    outputFileId: string;
    errorFileId: string;
  }): Promise<void> {
    const { files } = this.#deps;
    const { stopping, created } = this.#ledger;
    const { outputExpiresAfterSeconds } = created.request;
    const written = await writeOutputFiles({
      source: this.#source,
      files,
      outputFileId,
      errorFileId,
      expiresAt: outputExpiresAfterSeconds === null ? null : Date.now() + outputExpiresAfterSeconds * 1000,
      why: stopping?.why ?? 'cancelled',
      signal: this.#halt.signal,
    });
    await this.#end({ state: stopping?.why ?? 'completed', ...written });
  }

  async #fail(code: string, message: string): Promise<void> {
    await this.#end({ state: 'failed', faults: [{ code, message, param: null, line: null }] });
  }

  async #end(end: { state: BatchEnd['state']; faults?: BatchFault[] } & Partial<BatchEnd>): Promise<void> {
    await this.#ledger.append({
      type: 'ended',
      at: Date.now(),
      faults: [],
      counts: { total: 0, completed: 0, failed: 0 },
      tokens: 0,
      outputFileId: null,
      errorFileId: null,
      ...end,
    });
  }

  /** Fails the batch if repeating the step cannot help; pauses otherwise. */
  async #handleFailure(error: unknown): Promise<void> {
    const reason = asError(error).message;
    // The rows differ from those before a restart, because a limit in the configuration was changed.
    const isConflict = error instanceof RequestError && error.code === 'part-conflict';
    if (error instanceof CorruptError || isConflict) {
      this.#deps.log.error({ batch: this.id, reason }, 'a batch failed');
      const code = isConflict ? 'input_changed' : 'corrupt_files';
      await this.#fail(code, isConflict ? reason : 'The files of this batch are damaged.').catch(() => {});
      return;
    }
    this.#deps.log.warn({ batch: this.id, reason }, 'a batch is paused and continues automatically');
    await sleep(RETRY_PAUSE_MS, undefined, { signal: this.#halt.signal }).catch(() => {});
  }

  get #source(): OutputSource {
    const { run } = this;
    return {
      batch: this.id,
      inputPath: this.#inputPath,
      input: this.#inputOptions,
      rows: run === undefined ? null : readFinished(run),
    };
  }

  get #inputPath(): string {
    return join(this.#folder, INPUT_NAME);
  }

  get #inputOptions(): InputOptions {
    return { endpoint: this.#ledger.created.request.endpoint, config: this.#deps.config };
  }
}
