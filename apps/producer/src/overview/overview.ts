/** Reads the overview: the state of runs, queues, workers and Redis. */

import type { Alert, DataStorage, Health, Lane, Scale } from '@embedmill/contract';
import { infoNumber, type Overview, type QueueState, type WorkerReport } from '@embedmill/core/redis';
import type { Credits, ShownRun } from '@embedmill/core/runs';
import type { Redis } from 'ioredis';

/** Maximum runs in an overview; GET /v1/runs lists older ones. */
const MAX_RUNS_SHOWN = 20;

/** The history of rows/s covers five minutes. */
const SAMPLE_MS = 2000;
const MAX_SAMPLES = 150;

/** How long an overview is cached, so that all clients share one read. */
const CACHE_MS = 400;

/** What an overview is read from. */
export interface OverviewDeps {
  version: string;
  redis: Redis;
  queues: Readonly<Partial<Record<Lane, QueueState>>>;
  credits: Credits;
  /** Newest first; empty until the data folder is open. */
  runs: () => readonly ShownRun[];
  health: () => Promise<Health>;
  /** Alerts that fire. */
  alerts: () => Alert[];
  /** Reports of the connected workers; undefined while Redis is unavailable. */
  workers: () => Promise<WorkerReport[] | undefined>;
  scale: () => Promise<Scale | undefined>;
  /** What is on the disk; `null` until the data folder is open. */
  storage: () => Promise<DataStorage | null>;
}

/** Samples the rate of all runs from `start` to `stop`; everything else is read on request. */
export class OverviewReader {
  readonly #deps: OverviewDeps;
  readonly #samples: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #latest: { at: number; answer: Promise<Overview> } | undefined;

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#samples.push(this.#rate().rowsPerSecond);
      if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The current overview. Facts that come from Redis are empty while it is unavailable. */
  read(): Promise<Overview> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#latest.at > CACHE_MS) {
      this.#latest = { at: now, answer: this.#readNow() };
    }
    return this.#latest.answer;
  }

  async #readNow(): Promise<Overview> {
    const { version, credits, runs, health, alerts, workers: readReports, scale, storage } = this.#deps;
    const [state, speed, queues, workers, redis, stored] = await Promise.all([
      health(),
      scale(),
      this.#queues().catch(() => []),
      readReports(),
      this.#redisMemory().catch(() => null),
      storage(),
    ]);
    const all = runs();
    const runCounts = { open: 0, sealed: 0, completed: 0, failed: 0, cancelled: 0 };
    for (const run of all) runCounts[run.state] += 1;
    return {
      at: new Date().toISOString(),
      version,
      health: state,
      alerts: alerts(),
      runs: all.slice(0, MAX_RUNS_SHOWN).map((run) => run.info()),
      runCounts,
      ...this.#rate(),
      tokensPerSecondPerWorker: speed?.tokensPerSecondPerWorker ?? null,
      history: { intervalMs: SAMPLE_MS, rowsPerSecond: [...this.#samples] },
      queues,
      workers: workers ?? [],
      redis,
      credits: { usedBytes: credits.usedBytes, limitBytes: credits.limitBytes, waiting: credits.waiting },
      storage: stored,
    };
  }

  #rate(): { rowsPerSecond: number; tokensPerSecond: number } {
    const infos = this.#deps
      .runs()
      .filter(({ state }) => state === 'open' || state === 'sealed')
      .map((run) => run.info());
    return {
      rowsPerSecond: infos.reduce((sum, run) => sum + run.rowsPerSecond, 0),
      tokensPerSecond: infos.reduce((sum, run) => sum + run.tokensPerSecond, 0),
    };
  }

  #queues(): Promise<Overview['queues']> {
    return Promise.all(
      Object.entries(this.#deps.queues).map(async ([lane, queue]) => {
        const [counts, oldestWaitingMs] = await Promise.all([queue.counts(), queue.oldestWaitingMs()]);
        return { lane: lane as Lane, counts, oldestWaitingMs };
      }),
    );
  }

  async #redisMemory(): Promise<Overview['redis']> {
    const info = await this.#deps.redis.info();
    // Without `maxmemory`, the limit is the memory of the machine.
    const limitBytes = infoNumber(info, 'maxmemory') || infoNumber(info, 'total_system_memory');
    return { usedBytes: infoNumber(info, 'used_memory'), limitBytes };
  }
}
