/** One invocation of `embedmill embed`, from its request to the published output. */

import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { ApiError, type NewRun, withRetry } from '@embedmill/client';
import {
  BUILT_IN_MODEL,
  describeScripts,
  EmbedmillError,
  type GlossaryTerm,
  quote,
  type RunInfo,
} from '@embedmill/contract';
import { storeGlossary } from '@embedmill/core/batch';
import { type Config, Releasers, readConfig } from '@embedmill/core/process';
import { drive, runEnded } from '../../engine/run/drive.ts';
import { encodeParts, firstRows, PART_LIMITS } from '../../engine/run/encode-parts.ts';
import { discardOutput, type FetchedOutput, type OutputFiles } from '../../engine/run/fetch.ts';
import type { RunClient } from '../../engine/run/run-client.ts';
import { together } from '../../engine/run/together.ts';
import { Tracker } from '../../engine/run/tracker.ts';
import { OldOutput } from '../../io/append/old-output.ts';
import { readGlossary } from '../../io/glossary.ts';
import { openDestination } from '../../io/output/open.ts';
import { type Destination, isAppendable } from '../../io/output/types.ts';
import { describeReading } from '../../io/texts/describe-plan.ts';
import { type OpenedInput, openTextInput } from '../../io/texts/input.ts';
import type { CommandContext } from '../../shell/context.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import type { ProgressDisplay } from '../../shell/progress/index.ts';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import { isSameModel, otherModel, publishLeftDrafts, removedChoice } from './append.ts';
import { choicesOf, describeDifferences, vectorOptionsOf } from './identity.ts';
import { OutputLock } from './lock.ts';
import { checkColumns, OutputReceiver } from './receive.ts';
import type { EmbedFileRequest } from './request.ts';
import { connectServer, deleteOwnKeys, deleteRuns, type EmbedServer, startOwnServer } from './server.ts';
import { type EmbedSummary, summarizeEmbedding } from './summary.ts';
import { type ResumeNote, WorkFolder } from './work-folder.ts';

/** Errors after which no producer of several has a run. */
const REFUSED_CODES: ReadonlySet<string> = new Set(['producers-differ', 'producer-refuses']);

/** Dependencies of {@link embedFile}. */
export interface EmbedFileDeps {
  context: CommandContext;
  display: ProgressDisplay;
  /** Aborted by Ctrl-C; its reason is thrown once everything has stopped. */
  signal: AbortSignal;
}

/** The result of {@link embedFile}. */
export interface EmbedFileResult {
  summary: EmbedSummary;
  files: OutputFiles;
}

/** Errors for an input that is not the one of the earlier attempt, or of its own plan. */
const CHANGED_CODES: ReadonlySet<string> = new Set(['input-changed', 'source-changed']);

/**
 * Embeds the input, or resumes an earlier attempt. On failure the progress is kept in the work folder for the
 * next attempt, and no process is left running.
 * @throws {UsageError} when the output exists, or an earlier attempt had another input or other options
 */
export async function embedFile(request: EmbedFileRequest, deps: EmbedFileDeps): Promise<EmbedFileResult> {
  try {
    return await new FileEmbedding(request, deps).run({ restart: false });
  } catch (error) {
    // Report the interrupt, not the errors it caused.
    deps.signal.throwIfAborted();
    // With --overwrite an own earlier attempt is resumed, so a changed input may be noticed only here.
    const isChanged = error instanceof EmbedmillError && CHANGED_CODES.has(error.code);
    if (!isChanged || !request.overwrite || request.input.isStream) throw error;
    deps.display.note('The input has changed; starting over.');
    return await new FileEmbedding(request, deps).run({ restart: true });
  }
}

/** The steps of one attempt, and the state they share. */
class FileEmbedding {
  readonly #request: EmbedFileRequest;
  readonly #deps: EmbedFileDeps;
  readonly #config: Config;
  readonly #folder: WorkFolder;
  readonly #destination: Destination;
  readonly #releasers = new Releasers();
  readonly #startedAt = performance.now();
  /** Terms of `--glossary`; `null` without one. */
  #glossary: GlossaryTerm[] | null = null;
  /** The output that rows are appended to; `null` if there is none. */
  #old: OldOutput | null = null;
  /** Whether this attempt cannot be completed. */
  #isHopeless = false;
  /** Whether the producer refused the run, so that there is none. */
  #isRefused = false;

  constructor(request: EmbedFileRequest, deps: EmbedFileDeps) {
    const { environment } = deps.context;
    this.#request = request;
    this.#deps = deps;
    this.#config = readConfig(environment);
    this.#folder = new WorkFolder(request.output.path, environment);
    this.#destination = openDestination(request.output, { environment, signal: deps.signal });
  }

  /** @param options.restart discards an earlier attempt instead of resuming it */
  async run({ restart }: { restart: boolean }): Promise<EmbedFileResult> {
    const { output, overwrite, glossary, append } = this.#request;
    // A command that was killed while it published its files is completed.
    const isPublishing = (await this.#folder.readDrafts()) !== null;
    if (!overwrite && !append && !isPublishing && (await this.#destination.exists())) {
      const canAppend = isAppendable(output) ? ', or --append to embed only what is new' : '';
      throw new UsageError(
        `${this.#destination.nameOf(output.path)} exists; add --overwrite to replace it${canAppend}`,
      );
    }
    if (glossary !== null) this.#glossary = await readGlossary(glossary);
    await this.#folder.create();
    const lock = await OutputLock.take(this.#folder.path, output.path);
    try {
      return await this.#runLocked(lock, restart);
    } catch (error) {
      if (error instanceof EmbedmillError && error.code === 'producers-differ') this.#isHopeless = true;
      throw error;
    } finally {
      await this.#releasers.release();
      const note = this.#isRefused ? null : await this.#folder.readNote();
      if (note !== null && this.#isHopeless) await this.#discard(note);
      // Without a note there is nothing to resume.
      if (note === null || this.#isHopeless) await this.#folder.remove();
      lock.release();
    }
  }

  async #runLocked(lock: OutputLock, restart: boolean): Promise<EmbedFileResult> {
    const { signal } = this.#deps;
    if (this.#request.append) await publishLeftDrafts(this.#folder, this.#destination);
    const input = await this.#openInput(signal);
    // Closing twice does nothing: a table that was read to its end is closed.
    this.#releasers.add(() => input.close());
    this.#notePlan(input);
    checkColumns(this.#request, input.plans);
    if (this.#request.append) await this.#openOld(input);
    const planned = await this.#planRun(input, restart);
    const server = await this.#openServer(lock);
    const broken = new AbortController();
    void server.whenBroken.then((error) => broken.abort(error));
    server.whenWorking.catch((error) => {
      // Nothing is done that another attempt could resume.
      if (planned.run === null) this.#isHopeless = true;
      broken.abort(error);
    });
    return this.#embed(input, planned, server, AbortSignal.any([signal, broken.signal]));
  }

  async #embed(
    input: OpenedInput,
    planned: ResumeNote,
    server: EmbedServer,
    signal: AbortSignal,
  ): Promise<EmbedFileResult> {
    const { display } = this.#deps;
    const { limit, output } = this.#request;
    const tracker = new Tracker({ display, fractionRead: input.fractionRead, limit });
    const retry = { signal, onWait: (reason: string | null) => tracker.setWait('watch', reason) };
    const client = server.connect(retry);
    const resumed = planned.run !== null;
    // Noted first: a command that is interrupted before it knows the run gets it at the next attempt.
    if (!resumed) await this.#folder.writeNote(planned);
    const before = await withRetry(() => this.#beginRun(client, planned), retry).catch((error) => {
      this.#isRefused = !resumed && (error instanceof ApiError || REFUSED_CODES.has(error.code));
      throw error;
    });
    if (resumed) this.#noteResumed(before);
    else await this.#folder.writeNote({ ...planned, run: before.id });
    this.#checkModel(before);

    const embeddingFrom = performance.now();
    const receiver = new OutputReceiver({
      ...{ request: this.#request, plans: input.plans, folder: this.#folder, destination: this.#destination },
      ...{ old: this.#old, vectorOptions: vectorOptionsOf(this.#request, this.#glossaryId()) },
    });
    const read = limit === null ? input.rows : firstRows(input.rows, limit);
    const slices = receiver.record(read);
    const parts = encodeParts(slices, { ...PART_LIMITS, maxRowBytes: this.#config.maxRowBytes });
    const ending = new AbortController();
    const upload = (side: AbortSignal) =>
      drive({
        ...{ client, run: before, tracker, ending: ending.signal, signal: side },
        parts: receiver.parts.record(parts),
        maxUnknown: this.#request.maxUnknown,
        onState: (info) => this.#checkModel(info),
      });
    let received: FetchedOutput | null = null;
    const download = async (side: AbortSignal) => {
      received = await receiver.receive({ client, run: before, tracker }, side);
      ending.abort();
      return received;
    };
    const sides = together<[RunInfo, FetchedOutput]>([upload, download], signal);
    const [after, fetched] = await sides.catch(async (error) => {
      if (received !== null) await discardOutput(received);
      throw error;
    });
    const embeddingSeconds = (performance.now() - embeddingFrom) / 1000;

    for (const name of receiver.mixedColumns) display.note(`Warning: ${noteMixed(name)}.`);
    this.#noteDimensions(after);
    const files = await receiver.publish(after, fetched);
    display.end();
    await server.discard();
    await deleteOwnKeys(this.#config, output.path);
    await this.#folder.remove();
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const figures = {
      before,
      // A run without new texts does not know the model of the vectors.
      after: {
        ...after,
        dim: after.dim ?? this.#old?.header.dim ?? null,
        fingerprint: after.fingerprint ?? this.#old?.header.fingerprint ?? null,
      },
      files,
      append: receiver.appended,
      server: this.#request.server,
      producers: client.shares(),
      resumed,
      seconds,
      embeddingSeconds,
    };
    return { files, summary: summarizeEmbedding(figures) };
  }

  async #openOld({ plans }: OpenedInput): Promise<void> {
    const options = vectorOptionsOf(this.#request, this.#glossaryId());
    const { output } = this.#request;
    const removed = removedChoice(this.#request, plans);
    this.#old = await OldOutput.open(output, { removed, options });
    if (this.#old === null) return;
    const rows = formatNoun(this.#old.header.rows, 'row');
    this.#deps.display.note(
      `Appending to ${this.#destination.nameOf(output.path)}: ${rows}, ${removed === 'keep' ? 'kept' : 'dropped'} if removed from the input.`,
    );
  }

  #checkModel(run: RunInfo): void {
    if (this.#old === null || isSameModel(this.#old, run)) return;
    this.#isHopeless = true;
    throw otherModel(this.#request.output.path, this.#old, run);
  }

  #noteDimensions({ dim, options }: RunInfo): void {
    const { dimensions } = this.#request.output;
    if (dimensions === null || dim === null || dimensions === dim) return;
    this.#deps.display.note(
      dimensions > dim
        ? `Warning: the vectors of ${options.model} have ${dim} numbers, fewer than --dimensions ${dimensions}.`
        : `Warning: ${options.model} may not be trained for shorter vectors; compare the quality with "embedmill eval".`,
    );
  }

  #openInput(signal: AbortSignal): Promise<OpenedInput> {
    const { display, context } = this.#deps;
    const { stdin, environment } = context;
    return openTextInput(this.#request, {
      ...{ stdin, environment, signal, maxRowBytes: this.#config.maxRowBytes },
      onRetry: (reason) => display.note(`Waiting: ${reason}.`),
    });
  }

  #notePlan({ plans }: OpenedInput): void {
    const { display } = this.#deps;
    const [first] = plans;
    if (first === undefined) return;
    const name = plans.length === 1 ? this.#request.input.name : `${plans.length} files`;
    display.note(`Reading ${name}: ${describeReading(first)}.`);
    const model = this.#request.model ?? this.#config.model ?? BUILT_IN_MODEL;
    const scripts: Record<string, number> = {};
    for (const plan of plans) {
      for (const [script, letters] of Object.entries(plan.scripts)) {
        scripts[script] = (scripts[script] ?? 0) + letters;
      }
    }
    const languages = describeScripts(scripts, model);
    if (languages !== null && this.#request.server === null) display.note(`Warning: ${languages}.`);
    for (const plan of plans) {
      const place = plans.length === 1 ? '' : `${plan.name}: `;
      for (const warning of plan.warnings) display.note(`Warning: ${place}${warning}.`);
    }
  }

  /**
   * The run to resume, or a new one.
   * @throws {UsageError} when the earlier attempt differs in input or options
   */
  async #planRun({ plans, identify }: OpenedInput, restart: boolean): Promise<ResumeNote> {
    const { overwrite, output } = this.#request;
    const identity = await identify();
    const format = plans[0]?.format ?? 'txt';
    const now = { input: identity, choices: choicesOf(this.#request, format, this.#glossaryId()) };
    const note = await this.#folder.readNote();
    const oldOutput = this.#old?.header.sha256 ?? null;
    const createdAt = new Date().toISOString();
    const request = { key: randomUUID(), run: this.#newRun() };
    const fresh = { version: 1, run: null, request, ...now, oldOutput, overwrite, createdAt } as const;
    if (note === null) return fresh;
    const differences = describeDifferences(note, now);
    const oldBefore = note.oldOutput ?? null;
    if (oldBefore !== oldOutput) {
      // An earlier --append that replaced its old output was complete.
      if (oldBefore !== null && oldOutput !== null) {
        await this.#discard(note);
        return fresh;
      }
      differences.push(`it was ${oldBefore === null ? 'without' : 'with'} an output to append to`);
    }
    // The same command resumes, also with --overwrite.
    const resumes =
      differences.length === 0 && (!overwrite || (note.overwrite && identity !== null && !restart));
    if (resumes) return note;
    // An attempt without a run embedded nothing.
    if (!overwrite && note.run !== null) {
      throw new UsageError(
        `an earlier attempt to write ${this.#destination.nameOf(output.path)} differs:\n` +
          `${differences.map((difference) => `  - ${difference}`).join('\n')}\n` +
          'Give the same input and options to resume it, or add --overwrite to start over.',
      );
    }
    await this.#discard(note);
    return fresh;
  }

  /** Removes what an earlier attempt left: its run on a server, its keys in Redis, its files. */
  async #discard(note: ResumeNote): Promise<void> {
    const { display, signal } = this.#deps;
    const { server } = note.choices;
    if (server !== null) {
      const { apiKey } = this.#config;
      for (const problem of await deleteRuns(server, note, { apiKey, signal })) display.note(problem);
    }
    await deleteOwnKeys(this.#config, this.#request.output.path);
    await this.#folder.clear();
  }

  async #openServer(lock: OutputLock): Promise<EmbedServer> {
    const { context, display, signal } = this.#deps;
    const { server: url } = this.#request;
    const { apiKey } = this.#config;
    const onNote = (line: string) => display.note(line);
    const server =
      url !== null
        ? await connectServer(url, { apiKey, folder: this.#folder, signal, onNote })
        : await startOwnServer(this.#request, {
            config: this.#config,
            environment: context.environment,
            folder: this.#folder,
            lock,
            onNote,
          });
    this.#releasers.add(() => server.stop());
    signal.throwIfAborted();
    return server;
  }

  async #beginRun(client: RunClient, { run, request }: ResumeNote): Promise<RunInfo> {
    if (run === null) return client.createRun(request!.run, request!.key);
    const info = await client.getRun(run).catch((error) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      throw new EmbedmillError(
        'run-gone',
        `run ${run} from the previous attempt no longer exists on ${client.url}; add --overwrite to start over`,
      );
    });
    if (info.state === 'cancelled' || info.state === 'failed') throw runEnded(info);
    return info;
  }

  #glossaryId(): string | null {
    return this.#glossary && storeGlossary(this.#glossary).id;
  }

  #newRun(): NewRun {
    const { input, precision, truncate, treatment, model, server, batchRows } = this.#request;
    return {
      // The name of a run has at most 200 characters, none of them a control character.
      name: basename(input.name)
        .replaceAll(/[\p{Cc}\p{Cs}]/gu, '?')
        .slice(0, 200),
      precision,
      truncate,
      ...treatment,
      ...(this.#glossary === null ? {} : { glossary: this.#glossary }),
      // An own producer has the model in its settings.
      ...(model === null || server === null ? {} : { model }),
      ...(batchRows === null ? {} : { batchRows }),
    };
  }

  #noteResumed({ rows, id }: RunInfo): void {
    const { name, isStream } = this.#request.input;
    const again = isStream ? ` (${name} must deliver the same data)` : '';
    this.#deps.display.note(
      `Resuming ${id}: ${formatCount(rows.done)} of the ${formatCount(rows.accepted)} rows sent so far are done; ` +
        `reading ${name} again${again}.`,
    );
  }
}

function noteMixed(name: string): string {
  return `the column ${quote(name)} has values of several types or maps; it is stored as JSON text`;
}
