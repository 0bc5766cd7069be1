/** Analyses completed runs on request, one after the other, and stores what was found with each run. */

import {
  type AnalysisStatus,
  BUILT_IN_MODEL,
  cosineOfRelative,
  type ExampleRow,
  RequestError,
  type RunDuplicates,
  type RunTopics,
  type ScoreBaseline,
  STATIC_MODEL,
} from '@embedmill/contract';
import { memoryLimitBytes } from '@embedmill/core/process';
import {
  type AnalysisHeader,
  type Run,
  readRowTexts,
  resultsShape,
  type StoredAnalysis,
} from '@embedmill/core/runs';
import type { Logger } from 'pino';
import { asKnownError } from '../http/errors.ts';
import { computeAnalysis } from './compute.ts';
import { isWholeHeader } from './header.ts';
import { type ComputedAnalysis, STEPS } from './protocol.ts';

/** Maximum rows of an analysis. */
const MAX_ROWS = 1_000_000;

/** Part of the memory limit that the vectors of an analysis may take. */
const MEMORY_PART = 1 / 4;

/** Minimum cosine similarity of near-duplicates; relative to unrelated texts for models that were measured. */
const DUPLICATE_SIMILARITY = 0.95;

/** Runs whose reason of failure is known. */
const MAX_FAILURES = 100;

/** Runs whose stored topics are in memory. */
const MAX_HEADERS = 8;

/** Characters of a text that is stored as an example. */
const MAX_EXAMPLE_CHARS = 2000;

/** What the analyses work with. */
export interface AnalysesDeps {
  /** Cosines of unrelated texts of a model; `null` if they were not measured. */
  baselineOf: (model: string) => Promise<ScoreBaseline | null>;
  /** The run with this id; `undefined` once it is deleted. */
  findRun: (id: string) => Run | undefined;
  log: Logger;
}

/** An analysis that waits or runs. */
interface Job {
  run: Run;
  endedAt: string | null;
  requestedTopics: number | null;
  isRunning: boolean;
  step: string | null;
  /** Steps before the current one, and the share of that one. */
  progress: number;
  topics: number | null;
  stopping: AbortController;
}

/** The analyses of one producer. The caller holds the runs that it passes. */
export class Analyses {
  readonly #deps: AnalysesDeps;
  /** By run id, in the order in which they were asked for. */
  readonly #jobs = new Map<string, Job>();
  /** Why the last analysis of a run failed. */
  readonly #failures = new Map<
    string,
    { endedAt: string | null; requestedTopics: number | null; reason: string }
  >();
  /** Least recently used first: a Map iterates in insertion order. */
  readonly #headers = new Map<
    string,
    { stamp: string | null; endedAt: string | null; header: AnalysisHeader | null }
  >();
  #working: Promise<void> | null = null;
  #isStopped = false;

  constructor(deps: AnalysesDeps) {
    this.#deps = deps;
  }

  /** Where the analysis of a run is. */
  async status(run: Run): Promise<AnalysisStatus> {
    const { endedAt } = run.info();
    const { rows } = resultsShape(run);
    const job = this.#jobs.get(run.id);
    const nothing = {
      step: null,
      progress: 0,
      reason: null,
      rows,
      topics: null,
      requestedTopics: null,
      steps: [],
    };
    if (job !== undefined && job.endedAt === endedAt) {
      const { isRunning, step, progress, topics, requestedTopics } = job;
      return {
        ...nothing,
        state: isRunning ? 'running' : 'waiting',
        step,
        progress,
        topics,
        requestedTopics,
      };
    }
    const stored = await this.#header(run);
    const failure = this.#failures.get(run.id);
    if (failure?.endedAt === endedAt) {
      const { reason, requestedTopics } = failure;
      return { ...nothing, state: 'failed', reason, requestedTopics };
    }
    if (stored === null) return { ...nothing, state: 'none' };
    const { requestedTopics, topics, steps } = stored;
    return { ...nothing, state: 'ready', progress: 1, topics: topics.length, requestedTopics, steps };
  }

  /**
   * Asks for the analysis of a completed run. What is stored for the same number of topics stays; an analysis with
   * another number that waits or runs is ended.
   * @param topics number of topics; `null` to choose it; `undefined` for any number, if there is an analysis
   * @throws {RequestError} `too-many-topics`, `run-too-large`
   */
  async request(run: Run, topics: number | null | undefined): Promise<AnalysisStatus> {
    assertPossible(run, topics);
    const { endedAt } = run.info();
    const stored = await this.#header(run);
    // No wait from here on, so that two requests at once make one job.
    const job = this.#jobs.get(run.id);
    const known = job === undefined ? stored : job.endedAt === endedAt ? job : null;
    const isKnown = known !== null && (topics === undefined || known.requestedTopics === topics);
    if (!isKnown && !this.#isStopped) {
      job?.stopping.abort(new Error('another analysis of the run was asked for'));
      this.#failures.delete(run.id);
      this.#jobs.delete(run.id);
      this.#jobs.set(run.id, {
        ...{ run, endedAt, isRunning: false, step: null, progress: 0, topics: null },
        requestedTopics: topics ?? null,
        stopping: new AbortController(),
      });
      this.#working ??= this.#work();
    }
    return await this.status(run);
  }

  /**
   * The stored analysis of a run.
   * @throws {RequestError} `not-analysed`
   */
  async read(run: Run): Promise<StoredAnalysis> {
    const stored = await run.files.analysis.read();
    if (stored !== null && isOf(run, stored)) return stored;
    throw await this.#missing(run);
  }

  /** The topics of a run with their names and the texts of their examples. @throws {RequestError} `not-analysed` */
  async topics(run: Run): Promise<RunTopics> {
    const header = await this.#readHeader(run);
    const names = await run.files.analysis.readNames();
    return {
      topics: header.topics.map(({ key, ...topic }) => ({
        ...topic,
        name: names.get(key) ?? topic.name,
        isRenamed: names.has(key),
      })),
      groups: header.groups,
    };
  }

  /** The near-duplicates of a run. @throws {RequestError} `not-analysed` */
  async duplicates(run: Run): Promise<RunDuplicates> {
    return (await this.#readHeader(run)).duplicates;
  }

  /**
   * Names a topic.
   * @param name `null` for the name from its key terms
   * @throws {RequestError} `not-analysed`, `unknown-topic`
   */
  async rename(run: Run, topic: number, name: string | null): Promise<void> {
    const { topics } = await this.#readHeader(run);
    const found = topics[topic];
    if (found === undefined) {
      throw new RequestError(
        'unknown-topic',
        `the run has no topic ${topic}; its topics are 0 to ${topics.length - 1}`,
        { facts: { topic, topics: topics.length } },
      );
    }
    await run.files.analysis.rename(found.key, name);
  }

  /** Ends what runs and forgets what waits. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { stopping } of this.#jobs.values()) stopping.abort(new Error('the producer is stopping'));
    await this.#working;
  }

  /** What is stored besides the arrays; `null` if nothing current is. */
  async #header(run: Run): Promise<AnalysisHeader | null> {
    const stamp = await run.files.analysis.stamp();
    const known = this.#headers.get(run.id);
    this.#headers.delete(run.id);
    const isKnown = known !== undefined && known.stamp === stamp && known.endedAt === run.info().endedAt;
    const current = isKnown ? known : { stamp, endedAt: run.info().endedAt, header: await readHeader(run) };
    this.#headers.set(run.id, current);
    for (const id of this.#headers.keys()) {
      if (this.#headers.size <= MAX_HEADERS) break;
      this.#headers.delete(id);
    }
    return current.header;
  }

  async #readHeader(run: Run): Promise<AnalysisHeader> {
    const header = await this.#header(run);
    if (header === null) throw await this.#missing(run);
    return header;
  }

  async #missing(run: Run): Promise<RequestError> {
    const { state } = await this.status(run);
    return new RequestError(
      'not-analysed',
      `run ${run.id} is not analysed (${state}); ask for it with POST /v1/runs/${run.id}/analysis`,
      { facts: { state } },
    );
  }

  async #work(): Promise<void> {
    for (;;) {
      const next = this.#jobs.values().next();
      if (next.done || this.#isStopped) {
        this.#working = null;
        return;
      }
      const job = next.value;
      await this.#analyse(job);
      if (this.#jobs.get(job.run.id) === job) this.#jobs.delete(job.run.id);
    }
  }

  async #analyse(job: Job): Promise<void> {
    const { run, endedAt, requestedTopics, stopping } = job;
    job.isRunning = true;
    // A deleted run has no folder to write to; this is noticed soon, and its thread ends.
    const watch = setInterval(() => {
      if (this.#deps.findRun(run.id) !== run) stopping.abort(new Error('the run was deleted'));
    }, 500);
    try {
      const release = await run.hold();
      try {
        const threshold = await this.#thresholdOf(run.options.model);
        const result = await computeAnalysis(run, {
          topics: requestedTopics,
          threshold,
          onProgress: (step, progress) => {
            job.step = step;
            job.progress = overall(step, progress);
          },
          onTopics: (topics) => {
            job.topics = topics;
          },
          signal: stopping.signal,
        });
        const stored = await withTexts(run, result, { endedAt, requestedTopics, threshold });
        stopping.signal.throwIfAborted();
        if (run.info().endedAt === endedAt) await run.files.analysis.write(stored);
      } finally {
        release();
      }
    } catch (error) {
      if (stopping.signal.aborted) return;
      const { message } = asKnownError(error);
      this.#deps.log.warn({ run: run.id, err: error }, 'the analysis of a run failed');
      this.#failures.delete(run.id);
      this.#failures.set(run.id, { endedAt, requestedTopics, reason: message });
      for (const id of this.#failures.keys()) {
        if (this.#failures.size <= MAX_FAILURES) break;
        this.#failures.delete(id);
      }
    } finally {
      clearInterval(watch);
    }
  }

  async #thresholdOf(model: string): Promise<number> {
    if (model === BUILT_IN_MODEL || model === STATIC_MODEL) return DUPLICATE_SIMILARITY;
    const baseline = await this.#deps.baselineOf(model).catch(() => null);
    return baseline === null ? DUPLICATE_SIMILARITY : cosineOfRelative(DUPLICATE_SIMILARITY, baseline);
  }
}

async function readHeader(run: Run): Promise<AnalysisHeader | null> {
  const stored = await run.files.analysis.read();
  return stored !== null && isOf(run, stored) ? stored.header : null;
}

/** Whether an analysis is of the run as it is now, and whole: an import may contain any. */
function isOf(run: Run, { header, topicOf }: StoredAnalysis): boolean {
  return (
    header.endedAt === run.info().endedAt &&
    topicOf.length === resultsShape(run).rows &&
    isWholeHeader(header)
  );
}

/** @throws {RequestError} `too-many-topics`, `run-too-large` */
function assertPossible(run: Run, topics: number | null | undefined): void {
  const { rows, dim } = resultsShape(run);
  if (typeof topics === 'number' && topics > rows) {
    throw new RequestError(
      'too-many-topics',
      `${topics} topics exceed the ${rows.toLocaleString('en')} rows of the run`,
      {
        facts: { topics, rows },
      },
    );
  }
  const limit = Math.min(MAX_ROWS, Math.floor((memoryLimitBytes() * MEMORY_PART) / (4 * dim)));
  if (rows <= limit) return;
  throw new RequestError(
    'run-too-large',
    `the run has ${rows.toLocaleString('en')} rows; this producer analyses at most ${limit.toLocaleString('en')}`,
    { facts: { rows, limit } },
  );
}

function overall(step: string, progress: number): number {
  let done = 0;
  for (const { name, share } of Object.values(STEPS)) {
    if (name === step) return done + share * progress;
    done += share;
  }
  return done;
}

/** Adds the texts of the rows that are shown. */
async function withTexts(
  run: Run,
  { places, scores, topicOf, topics, groups, duplicates, steps }: ComputedAnalysis,
  {
    endedAt,
    requestedTopics,
    threshold,
  }: Pick<AnalysisHeader, 'endedAt' | 'requestedTopics'> & { threshold: number },
): Promise<StoredAnalysis> {
  const shown = [
    ...topics.flatMap(({ examples }) => examples),
    ...duplicates.groups.map(({ rows }) => rows[0]!.row),
  ];
  const texts = new Map<number, ExampleRow>();
  for (const { row, id, text } of await readRowTexts(run, shown)) {
    texts.set(row, { row, id, text: cutText(text) });
  }
  return {
    places,
    scores,
    topicOf,
    header: {
      endedAt,
      requestedTopics,
      steps,
      topics: topics.map((topic, number) => ({
        topic: number,
        ...topic,
        examples: topic.examples.map((row) => texts.get(row)!),
      })),
      groups,
      duplicates: {
        threshold,
        ...duplicates,
        groups: duplicates.groups.map((group) => ({
          representative: texts.get(group.rows[0]!.row)!,
          ...group,
        })),
      },
    },
  };
}

/** The start of a text, without half of a character. */
function cutText(text: string | null): string | null {
  return text?.slice(0, MAX_EXAMPLE_CHARS).replace(/[\uD800-\uDBFF]$/, '') ?? null;
}
