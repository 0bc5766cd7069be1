/** One call of `embedmill embed`, from its request to the finished files. */

import { basename } from 'node:path';
import { ApiError, EmbedmillClient, type NewRun, withRetry } from '@embedmill/client';
import { EmbedmillError, type GlossaryTerm, type RunInfo } from '@embedmill/contract';
import { storeGlossary } from '@embedmill/core/batch';
import { type Config, Releasers, readConfig } from '@embedmill/core/process';
import { cutParts, firstRows, PART_LIMITS } from '../../engine/run/cut-parts.ts';
import { drive, runEnded } from '../../engine/run/drive.ts';
import { fetchOutput, type OutputFiles } from '../../engine/run/fetch.ts';
import { Tracker } from '../../engine/run/tracker.ts';
import { readGlossary } from '../../io/glossary.ts';
import { type Input, openInput } from '../../io/input.ts';
import type { CommandContext } from '../../shell/context.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import type { ProgressDisplay } from '../../shell/progress/index.ts';
import { formatCount } from '../../shell/terminal/numbers.ts';
import { destinationOf } from './destination/open.ts';
import type { Destination } from './destination/types.ts';
import { choicesOf, describeDifferences, identifyFile } from './identity.ts';
import { type Job, WorkFolder } from './job.ts';
import { Lock } from './lock.ts';
import type { EmbedRequest } from './request.ts';
import { forgetKeys, openServer, openStack, type Site } from './site.ts';
import { type EmbedSummary, summarize } from './summary.ts';

/** What a call works with. */
export interface EmbedDeps {
  context: CommandContext;
  display: ProgressDisplay;
  /** Aborted by Ctrl-C; its reason is thrown when everything has stopped. */
  signal: AbortSignal;
}

/** What a call leads to. */
export interface Embedded {
  summary: EmbedSummary;
  files: OutputFiles;
}

/**
 * Embeds the input, or continues where an earlier call stopped. When it throws, what is done is kept in the work folder
 * for the next call, and no process is left.
 * @throws {UsageError} when the output exists, or was begun with another input or other options
 */
export async function embedFile(request: EmbedRequest, parts: EmbedDeps): Promise<Embedded> {
  try {
    return await new EmbedCall(request, parts).run(false);
  } catch (error) {
    // Whatever the interrupt tore apart, the interrupt is the reason.
    parts.signal.throwIfAborted();
    // --overwrite continues its own earlier call; only then can this be found out so late.
    const isOther = error instanceof EmbedmillError && error.code === 'input-changed';
    if (!isOther || !request.overwrite || request.input.path === null) throw error;
    parts.display.note('The input has changed; starting anew.');
    return await new EmbedCall(request, parts).run(true);
  }
}

/** The steps of one call and what they share. */
class EmbedCall {
  readonly #request: EmbedRequest;
  readonly #deps: EmbedDeps;
  readonly #config: Config;
  readonly #folder: WorkFolder;
  readonly #destination: Destination;
  readonly #releasers = new Releasers();
  readonly #startedAt = performance.now();
  /** Terms of the call's glossary; `null`: none. */
  #glossary: GlossaryTerm[] | null = null;

  constructor(request: EmbedRequest, parts: EmbedDeps) {
    this.#request = request;
    this.#deps = parts;
    this.#config = readConfig(parts.context.environment);
    this.#folder = new WorkFolder(request.output.path, parts.context.environment);
    const { environment } = parts.context;
    this.#destination = destinationOf(request.output, { environment, signal: parts.signal });
  }

  async run(isAnew: boolean): Promise<Embedded> {
    const { output, overwrite } = this.#request;
    if (!overwrite && (await this.#destination.exists())) {
      throw new UsageError(`${this.#destination.nameOf(output.path)} exists; add --overwrite to replace it`);
    }
    const { glossary } = this.#request;
    if (glossary !== null) this.#glossary = await readGlossary(glossary);
    await this.#folder.create();
    const lock = await Lock.take(this.#folder.path, output.path);
    try {
      return await this.#runLocked(lock, isAnew);
    } finally {
      await this.#releasers.release();
      // A folder without a job holds nothing that a later call could continue.
      if ((await this.#folder.readJob()) === null) await this.#folder.remove();
      lock.release();
    }
  }

  async #runLocked(lock: Lock, isAnew: boolean): Promise<Embedded> {
    const { signal } = this.#deps;
    const input = await this.#openInput(signal);
    const job = await this.#findJob(isAnew);
    const site = await this.#openSite(lock);
    const broken = new AbortController();
    void site.whenBroken.then((error) => broken.abort(error));
    return this.#embed(input, job, site, AbortSignal.any([signal, broken.signal]));
  }

  async #embed(
    input: Input,
    job: Omit<Job, 'run'> & { run: string | null },
    site: Site,
    signal: AbortSignal,
  ): Promise<Embedded> {
    const { display } = this.#deps;
    const { limit, output, server } = this.#request;
    const client = new EmbedmillClient({ url: site.url, signal, apiKey: this.#config.apiKey });
    const tracker = new Tracker({ display, fractionRead: input.fractionRead, limit });
    const patience = { signal, onWait: (reason: string | null) => tracker.waits('watch', reason) };
    const resumed = job.run !== null;
    const before = await withRetry(() => this.#beginRun(client, job.run), patience);
    if (resumed) this.#noteResumed(before);
    else await this.#folder.writeJob({ ...job, run: before.id });

    const embeddingFrom = performance.now();
    const slices = limit === null ? input.rows : firstRows(input.rows, limit);
    const parts = cutParts(slices, { ...PART_LIMITS, maxRowBytes: this.#config.maxRowBytes });
    const after = await drive({ client, run: before, parts, tracker, signal });
    const embeddingSeconds = (performance.now() - embeddingFrom) / 1000;

    const files = await fetchOutput(after, { client, output, destination: this.#destination, patience });
    display.end();
    await site.discard();
    await forgetKeys(this.#config, output.path);
    await this.#folder.remove();
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return {
      files,
      summary: summarize({ before, after, files, server, resumed, seconds, embeddingSeconds }),
    };
  }

  #openInput(signal: AbortSignal): Promise<Input> {
    const { stdin } = this.#deps.context;
    return openInput(this.#request, { stdin, signal, maxRowBytes: this.#config.maxRowBytes });
  }

  /** The job to continue, or a new one without a run. @throws {UsageError} when the old one is for something else */
  async #findJob(isAnew: boolean): Promise<Omit<Job, 'run'> & { run: string | null }> {
    const { input, overwrite, output } = this.#request;
    const identity = input.path === null ? null : await identifyFile(input.path);
    const now = { input: identity, choices: choicesOf(this.#request, this.#glossaryId()) };
    const job = await this.#folder.readJob();
    const fresh = { version: 1, run: null, ...now, overwrite, createdAt: new Date().toISOString() } as const;
    if (job === null) return fresh;
    const differences = describeDifferences(job, now);
    // The same command again continues, also when it says --overwrite, unless it is about something else.
    const continues =
      differences.length === 0 && (!overwrite || (job.overwrite && identity !== null && !isAnew));
    if (continues) return job;
    if (!overwrite) {
      throw new UsageError(
        `an earlier call has begun ${this.#destination.nameOf(output.path)} with something else:\n` +
          `${differences.map((difference) => `  - ${difference}`).join('\n')}\n` +
          'Give the same input and options to continue it, or add --overwrite to start anew.',
      );
    }
    await this.#discard(job);
    return fresh;
  }

  /** Forgets an earlier call: its run on the server it was on, its keys in Redis, its files. */
  async #discard(job: Job): Promise<void> {
    const { display, signal } = this.#deps;
    const { server } = job.choices;
    if (server !== null) {
      await new EmbedmillClient({ url: server, signal, apiKey: this.#config.apiKey })
        .delete(job.run)
        .catch((error) => {
          if (error instanceof ApiError && error.status === 404) return;
          display.note(`The earlier run ${job.run} could not be deleted on ${server}: ${error.message}`);
        });
    }
    await forgetKeys(this.#config, this.#request.output.path);
    await this.#folder.clear();
  }

  async #openSite(lock: Lock): Promise<Site> {
    const { context, display, signal } = this.#deps;
    const { server } = this.#request;
    if (server !== null) return openServer(server, { signal, apiKey: this.#config.apiKey });
    const site = await openStack(this.#request, {
      config: this.#config,
      environment: context.environment,
      folder: this.#folder,
      lock,
      onNote: (line) => display.note(line),
    });
    this.#releasers.add(() => site.stop());
    signal.throwIfAborted();
    return site;
  }

  async #beginRun(client: EmbedmillClient, run: string | null): Promise<RunInfo> {
    if (run === null) return client.createRun(this.#newRun());
    const info = await client.getRun(run).catch((error) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      throw new EmbedmillError(
        'run-gone',
        `run ${run} of the earlier call is no longer at ${client.url}; add --overwrite to start anew`,
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
      // A run's name is at most 200 characters and none that a terminal would obey.
      name: basename(input.name)
        .replaceAll(/[\p{Cc}\p{Cs}]/gu, '?')
        .slice(0, 200),
      precision,
      truncate,
      ...treatment,
      ...(this.#glossary === null ? {} : { glossary: this.#glossary }),
      // A producer of our own knows the model from its settings.
      ...(model === null || server === null ? {} : { model }),
      ...(batchRows === null ? {} : { batchRows }),
    };
  }

  #noteResumed({ rows, id }: RunInfo): void {
    const { name } = this.#request.input;
    const again = this.#request.input.path === null ? ' (the same data must come again)' : '';
    this.#deps.display.note(
      `Continuing ${id}: ${formatCount(rows.done)} of the ${formatCount(rows.accepted)} rows sent so far are done; ` +
        `${name} is read again${again}.`,
    );
  }
}
