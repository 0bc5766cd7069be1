/** Builds the report that a worker's heartbeat stores in Redis; `worker.ts` passes it to the heartbeat. */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { readCpuUsage } from '@embedmill/core/process';
import type { WorkerReport } from '@embedmill/core/redis';
import { CpuLoad, usableCores } from '@embedmill/core/telemetry';
import type { InferencePool } from './inference/index.ts';
import type { ModelLoader } from './models/model-loader.ts';
import { reportOf, type ServedModels } from './models/served-models.ts';

/** Id of this worker process, unique across machines and restarts. */
export function newWorkerId(): string {
  return `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** What a report describes. */
export interface ReporterDeps {
  pool: InferencePool;
  models: ServedModels;
  /** Undefined for a worker that serves its own model only. */
  loader: Pick<ModelLoader, 'installed' | 'loads'> | undefined;
  /** Whether models that are not installed may be pulled. */
  pulls: boolean;
}

/** Returns a function that builds a current report on each call. */
export function reporter(id: string, { pool, models, loader, pulls }: ReporterDeps): () => WorkerReport {
  const load = new CpuLoad({ usageSeconds: () => readCpuUsage().usageSeconds });
  // The kernel adds up the time for which it stopped the group on each core, so this is a number of stopped threads.
  const throttling = new CpuLoad({ usageSeconds: () => readCpuUsage().throttledSeconds });
  const host = hostname();
  const startedAt = new Date().toISOString();
  return () => {
    const [own, ...others] = models.all().map(reportOf);
    const { name: model, fingerprint, engine, tokensPerSecond } = own!;
    return {
      id,
      host,
      startedAt,
      threads: pool.threads,
      busyThreads: pool.busyThreads,
      waitingBatches: pool.waitingBatches,
      usedCores: load.usedCores(),
      quotaCores: usableCores(),
      throttledRatio: Math.min(1, throttling.usedCores() / Math.max(1, pool.threads)),
      memoryBytes: process.memoryUsage.rss(),
      model,
      fingerprint,
      tokensPerSecond,
      engine,
      otherModels: others,
      installedModels: [...(loader?.installed ?? [])],
      pullsModels: loader !== undefined && pulls,
      modelLoads: loader?.loads ?? [],
    };
  };
}
