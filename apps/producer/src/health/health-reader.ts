/** Collects the facts from which the health of a producer is computed. */

import { statfs } from 'node:fs/promises';
import type { Health, RunInfo, Scale } from '@embedmill/contract';
import { type Fault, faultOf } from '@embedmill/core/process';
import { connectionError, type WorkerReport } from '@embedmill/core/redis';
import type { Credits } from '@embedmill/core/runs';
import type { Redis } from 'ioredis';
import type { DataDir } from '../data-dir.ts';
import { type HealthFacts, healthOf } from './problems.ts';

/** How long a health is cached, so that all clients share one reading. */
const CACHE_MS = 400;

/** Assumed length of the vectors of a run before its first batch: that of all-MiniLM-L6-v2. */
const DEFAULT_DIMENSION = 384;

/** What the health is read from. */
export interface HealthReaderDeps {
  dataDir: DataDir;
  /** Path of the data folder. */
  folder: string;
  redis: Redis;
  credits: Credits;
  /** Reports of the connected workers; undefined while Redis is unavailable. */
  workers: () => Promise<WorkerReport[] | undefined>;
  scale: () => Promise<Scale | undefined>;
}

/** Reads the health, at most every 400 ms. */
export class HealthReader {
  readonly #deps: HealthReaderDeps;
  #latest: { at: number; health: Promise<Health> } | undefined;
  /** Rows done by the active runs, and since when it has been this number with a backlog. */
  #progress = { done: 0, sinceMs: 0, hadBacklog: false };

  constructor(deps: HealthReaderDeps) {
    this.#deps = deps;
  }

  /** The current health. Never rejects. */
  read(): Promise<Health> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#latest.at > CACHE_MS) {
      this.#latest = { at: now, health: this.#readFacts().then(healthOf) };
    }
    return this.#latest.health;
  }

  /** Free bytes on the disk of the data folder; undefined if unknown. */
  async freeBytes(): Promise<number | undefined> {
    try {
      const { bavail, bsize } = await statfs(this.#deps.folder);
      return bavail * bsize;
    } catch {
      return undefined;
    }
  }

  async #readFacts(): Promise<HealthFacts> {
    const { dataDir, redis, credits, workers, scale } = this.#deps;
    const ping = redis.ping().catch((error: unknown) => error);
    // What is read from a Redis that does not answer would come too late for a probe of readiness.
    const unlessDown = <Value>(value: Promise<Value>) =>
      Promise.race([value, ping.then((answer) => (answer instanceof Error ? undefined : value))]);
    const [folder, answer, reports, speed, freeBytes] = await Promise.all([
      dataDir.state(),
      ping,
      unlessDown(workers()),
      unlessDown(scale()),
      this.freeBytes(),
    ]);
    const connected = reports?.length;
    const active = (dataDir.runsIfOpen?.active() ?? []).map((run) => run.info());
    const backlogRows = sum(active, ({ rows }) => rows.accepted - rows.done);
    return {
      redisFault: redisFault(answer, connectionError(redis), folder.leaseError),
      folderWaitsFor: folder.waitsFor,
      diskFault: folder.diskFault,
      freeBytes: freeBytes ?? null,
      neededBytes: sum(active, neededBytes),
      isRedisFull: credits.isClosed,
      policyFault: folder.policyFault,
      collectingFault: folder.collectingFault,
      workers: connected ?? null,
      waitingRuns: active.flatMap(({ id, waitsFor }) => (waitsFor === null ? [] : [{ id, waitsFor }])),
      activeRuns: active.length,
      backlogRows,
      rowsPerSecond: sum(active, (run) => run.rowsPerSecond),
      idleMs: this.#idleMs(
        sum(active, ({ rows }) => rows.done),
        backlogRows > 0 && connected !== 0,
      ),
      cpuSaturation: speed?.cpuSaturation ?? null,
      throttledWorkers: (reports ?? []).filter(isThrottled),
      growth: growthOf(speed),
    };
  }

  /** How long no row has been done although rows wait and workers are connected. */
  #idleMs(done: number, hasBacklog: boolean): number {
    const now = performance.now();
    if (!hasBacklog || !this.#progress.hadBacklog || done !== this.#progress.done) {
      this.#progress = { done, sinceMs: now, hadBacklog: hasBacklog };
    }
    return hasBacklog ? now - this.#progress.sinceMs : 0;
  }
}

/** Share of the time that the threads of a worker lose to its CPU quota before it is reported; decision 0211. */
const MAX_THROTTLED_RATIO = 0.25;

function isThrottled({ throttledRatio = 0 }: WorkerReport): boolean {
  return throttledRatio > MAX_THROTTLED_RATIO;
}

/** The fleet that the backlog requires, and its time; `null` until the speed of a worker is known. */
function growthOf(speed: Scale | undefined): HealthFacts['growth'] {
  if (speed === undefined || speed.tokensPerSecondPerWorker === null || speed.desiredWorkers === 0)
    return null;
  const { backlogTokens, tokensPerSecondPerWorker, desiredWorkers } = speed;
  return {
    workers: desiredWorkers,
    seconds: backlogTokens / (tokensPerSecondPerWorker * desiredWorkers),
  };
}

/** @param ping what PING gave: an error, or PONG */
function redisFault(ping: unknown, ofConnection: Error | undefined, ofLease: unknown): Fault | null {
  const isPingError = ping instanceof Error;
  if (!isPingError && ofLease === null) return null;
  const errors = [ofConnection, ofLease, isPingError ? ping : null].filter((error) => error != null);
  const faults = errors.map(faultOf).filter(({ source }) => source === 'redis');
  // A reply of Redis says more than that the connection is closed.
  return faults.find(({ duration }) => duration === 'lasting') ?? faults[0] ?? null;
}

/** Bytes of the vectors that a run will still write; its rows are on disk already. */
function neededBytes({ rows, dim }: RunInfo): number {
  return (rows.accepted - rows.done) * (dim ?? DEFAULT_DIMENSION) * Float32Array.BYTES_PER_ELEMENT;
}

function sum(runs: readonly RunInfo[], read: (run: RunInfo) => number): number {
  return runs.reduce((total, run) => total + read(run), 0);
}
