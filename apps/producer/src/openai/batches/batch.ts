/** One batch of the OpenAI API from its input file to its output files; made and kept by `Batches`. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError, CorruptError, RequestError, type RowRead } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { type Run, type Runs, readFinished } from '@embedmill/core/runs';
import type { Logger } from 'pino';
import { fillOptions } from '../../native/run-options.ts';
import { createRunBody } from '../../native/schemas.ts';
import { type FileStore, newFileId } from '../files/file-store.ts';
import { writeOutputFiles } from './finish.ts';
import type { BatchLedger } from './ledger.ts';
import { type LineRules, readInputLines } from './lines.ts';
import { type OutputLine, outputLines } from './output.ts';
import type { BatchEnd, BatchFault, BatchState } from './types.ts';
import { validateInput } from './validate.ts';

/** What all batches of a producer share. */
export interface BatchDeps {
  runs: Runs;
  files: FileStore;
  config: Config;
  /** Throws when another producer may have the data folder; asked before each write. */
  assertLeaseHeld: () => void;
  log: Logger;
}

/** How often a run is asked whether it has ended. */
const LOOK_MS = 100;
/** Pause after a fault of Redis or of the disk. */
const FAULT_PAUSE_MS = 1000;
/** Timers take no longer than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The input file as the batch keeps it: a link, so that the client may delete its own. */
export const INPUT_NAME = 'input.jsonl';
export const LEDGER_NAME = 'ledger.journal';

/**
 * States:
 *
 * - `validating`: the input file is read and checked. A new batch is validating; nothing was embedded.
 * - `failed`: a line makes the file unusable, or the run behind the batch is lost. Entered from any state before `finalizing`.
 * - `in_progress`: the texts are in a run, or on their way into it.
 * - `finalizing`: the run is done, and its vectors are written to the output file.
 * - `completed`: entered from `finalizing` only, whatever became of single lines.
 * - `cancelling`: `cancel` was asked. The run is ended, and what it has done is written to the output file.
 * - `cancelled`, `expired`: entered when those files are there; `expired` when the time of the batch was over.
 *
 * Every step begins with what is on disk (the ledger here, the run's own ledger, the files), and may be done again: the
 * same input gives the same rows and the same lines. So a producer that died goes on by calling `start`.
 */
export class Batch {
  readonly #deps: BatchDeps;
  readonly #folder: string;
  readonly #ledger: BatchLedger;
  /** Aborted when the work in hand is of no use any more: cancelled, expired, or the process ends. */
  #halt = new AbortController();
  #isClosing = false;
  #work: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: BatchDeps, folder: string, ledger: BatchLedger) {
    this.#deps = parts;
    this.#folder = folder;
    this.#ledger = ledger;
  }

  get id(): string {
    return this.#ledger.created.id;
  }

  /** What is durable about it. */
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

  /** The run that does the work, while it is there. */
  get run(): Run | undefined {
    return this.#ledger.run === undefined ? undefined : this.#deps.runs.find(this.#ledger.run);
  }

  /** Begins or goes on; an ended batch stays as it is. */
  start(): void {
    if (this.#ledger.ended !== undefined) return;
    this.#armTimer();
    this.#work = this.#workToEnd();
  }

  /**
   * Stops it; what is done is kept. Again changes nothing, and neither does it once the output is being written.
   * @throws {RequestError} `batch-ended`
   */
  async cancel(): Promise<void> {
    if (this.#ledger.ended !== undefined) {
      throw new RequestError('batch-ended', `Cannot cancel a batch with status '${this.state}'.`);
    }
    await this.#stop('cancelled');
  }

  /** What is done so far, in the order of the input, up to the first line that is not: the beginning of the output file to come. */
  async *outputSoFar(): AsyncGenerator<Uint8Array> {
    for await (const line of this.#lines()) {
      if (line.kind === 'undone') return;
      if (line.kind === 'completed') yield Buffer.from(line.text);
    }
  }

  /** Leaves it for the next process. */
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
    this.#deps.assertLeaseHeld();
    await this.#ledger.append({ type: 'stopping', at: Date.now(), why });
    this.#halt.abort(new Error(`the batch was ${why}`));
  }

  #armTimer(): void {
    const left = this.#ledger.created.expiresAt - Date.now();
    this.#timer = setTimeout(
      () => {
        if (left > LONGEST_TIMER_MS) this.#armTimer();
        else void this.#stop('expired').catch(() => this.#armTimer());
      },
      Math.max(FAULT_PAUSE_MS / 10, Math.min(left, LONGEST_TIMER_MS)),
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
        // A stop ends the work in hand only; what follows it must not be stopped by it too.
        if (wasHalted) this.#halt = new AbortController();
        else await this.#face(error);
      }
    }
    clearTimeout(this.#timer);
  }

  /** One step forward, from what is on disk. */
  async #step(): Promise<void> {
    const { stopping, finalizing, validated } = this.#ledger;
    if (stopping !== undefined || finalizing !== undefined) return await this.#finish();
    if (validated === undefined) return await this.#validate();
    const run = await this.#findRun();
    if (run === undefined) return await this.#fail('run_removed', 'The run of this batch was removed.');
    if (run.state === 'open') await this.#feed(run);
    while (run.isActive) await sleep(LOOK_MS, undefined, { signal: this.#halt.signal });
    if (run.state === 'failed') {
      return await this.#fail('run_failed', `The run of this batch failed: ${run.info().error}`);
    }
    // Somebody ended the run itself.
    if (run.state === 'cancelled') return await this.#stop('cancelled');
    const [outputFileId, errorFileId] = [newFileId(), newFileId()];
    await this.#ledger.append({ type: 'finalizing', at: Date.now(), outputFileId, errorFileId });
  }

  async #validate(): Promise<void> {
    const { config } = this.#deps;
    const limits = { maxLines: config.maxBatchLines, signal: this.#halt.signal };
    const found = await validateInput(this.#inputPath, this.#rules, limits);
    this.#halt.signal.throwIfAborted();
    if (found.faults === null) {
      await this.#ledger.append({ type: 'validated', at: Date.now(), ...found.summary });
    } else await this.#end({ state: 'failed', faults: found.faults });
  }

  /** The run, made if it never was; `undefined` when it was removed. */
  async #findRun(): Promise<Run | undefined> {
    if (this.#ledger.run !== undefined) return this.run;
    const { runs, config } = this.#deps;
    // One that was made just before the process died goes by the name of the batch.
    const run =
      runs.active().find(({ options }) => options.name === this.id) ??
      (await runs.create({ options: fillOptions(createRunBody.parse({ name: this.id }), config) }));
    await this.#ledger.append({ type: 'started', run: run.id });
    return run;
  }

  /** Brings all texts into the run; batches that it has already are passed over. */
  async #feed(run: Run): Promise<void> {
    const sha256 = createHash('sha256');
    const { signal } = this.#halt;
    const rows = rowsOf(
      readInputLines(this.#inputPath, this.#rules, (chunk) => sha256.update(chunk)),
      signal,
    );
    await run.addPart({ part: 0, rows, sha256: () => sha256.digest('hex'), signal });
    await run.seal();
  }

  async #finish(): Promise<void> {
    const { files, assertLeaseHeld } = this.#deps;
    const { stopping, finalizing, created } = this.#ledger;
    if (finalizing === undefined) {
      // Only a stopped batch comes here without it.
      await this.run?.cancel();
      const [outputFileId, errorFileId] = [newFileId(), newFileId()];
      await this.#ledger.append({ type: 'finalizing', at: Date.now(), outputFileId, errorFileId });
      return;
    }
    assertLeaseHeld();
    const { outputExpiresAfterSeconds } = created.request;
    const made = await writeOutputFiles({
      source: this.#source(),
      files,
      outputFileId: finalizing.outputFileId,
      errorFileId: finalizing.errorFileId,
      expiresAt: outputExpiresAfterSeconds === null ? null : Date.now() + outputExpiresAfterSeconds * 1000,
      why: stopping?.why ?? 'cancelled',
      signal: this.#halt.signal,
    });
    await this.#end({ state: stopping?.why ?? 'completed', ...made });
  }

  async #fail(code: string, message: string): Promise<void> {
    await this.#end({ state: 'failed', faults: [{ code, message, param: null, line: null }] });
  }

  async #end(end: { state: BatchEnd['state']; faults?: BatchFault[] } & Partial<BatchEnd>): Promise<void> {
    this.#deps.assertLeaseHeld();
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

  async #face(error: unknown): Promise<void> {
    const reason = asError(error).message;
    // Rows that differ from those before a restart: a limit of the configuration was changed meanwhile.
    const isConflict = error instanceof RequestError && error.code === 'part-conflict';
    if (error instanceof CorruptError || isConflict) {
      this.#deps.log.error({ batch: this.id, reason }, 'a batch failed');
      const code = isConflict ? 'input_changed' : 'corrupt_files';
      await this.#fail(code, isConflict ? reason : 'The files of this batch are damaged.').catch(() => {});
      return;
    }
    this.#deps.log.warn({ batch: this.id, reason }, 'a batch pauses; nothing is lost, it goes on by itself');
    await sleep(FAULT_PAUSE_MS, undefined, { signal: this.#halt.signal }).catch(() => {});
  }

  #lines(): AsyncGenerator<OutputLine> {
    return outputLines(this.#source());
  }

  #source() {
    const { run } = this;
    const rows = run === undefined ? noRows() : readFinished(run);
    return { batch: this.id, inputPath: this.#inputPath, rules: this.#rules, rows };
  }

  get #inputPath(): string {
    return join(this.#folder, INPUT_NAME);
  }

  get #rules(): LineRules {
    return { endpoint: this.#ledger.created.request.endpoint, config: this.#deps.config };
  }
}

/** The texts of all lines as the rows of a part. */
async function* rowsOf(
  input: ReturnType<typeof readInputLines>,
  signal: AbortSignal,
): AsyncGenerator<RowRead[]> {
  for await (const lines of input) {
    signal.throwIfAborted();
    yield lines.flatMap((read): RowRead[] => {
      if (read.kind === 'fault') return [];
      const { line, customId, texts } = read;
      return texts.map((text, i) => ({
        ok: true,
        line,
        id: texts.length === 1 ? customId : `${customId}:${i}`,
        text,
      }));
    });
  }
}

async function* noRows(): AsyncGenerator<never> {}
