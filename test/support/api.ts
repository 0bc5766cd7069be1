/** The producer's API on its own port, with the Redis of a test and without a model. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { type RunInfo, UnavailableError } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import {
  type Access,
  type ApiLimits,
  createApi,
  FileStore,
  FiringAlerts,
  OpenAiBatchStore,
  RunColumns,
} from '@embedmill/producer';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Collecting, type CollectingOptions, startCollecting } from './collecting.ts';
import { temporaryFolder } from './folder.ts';
import { hashLane } from './hash-lane.ts';
import { testHealth } from './health.ts';
import { type TestRedis, testRedis } from './redis.ts';

/** What a test can change. */
export interface TestApiOptions extends CollectingOptions {
  config?: Partial<Config>;
  limits?: Partial<ApiLimits>;
  /** API keys and rate limit; the caller closes them. */
  access?: Access;
}

/** A response with untyped JSON. */
export interface TestResponse extends Omit<Response, 'json'> {
  // biome-ignore lint/suspicious/noExplicitAny: responses have many shapes, and the test checks its own
  json(): Promise<any>;
}

/** A listening API. */
export interface TestApi {
  url: string;
  port: number;
  redis: TestRedis;
  dataDir: string;
  collecting: Collecting;
  /** Log lines so far. */
  logged: Record<string, unknown>[];
  /** Number of open connections. */
  connections(): Promise<number>;
  /** Makes the service report that it is still starting. */
  isWaitingForRedis: boolean;
  /** Sends a request to a path of the API. */
  call(method: string, path: string, init?: RequestInit): Promise<TestResponse>;
  /** Creates a run. */
  create(body?: Record<string, unknown>): Promise<RunInfo>;
  /** Sends JSON rows as a part. */
  send(run: string, part: number, rows: readonly unknown[]): Promise<TestResponse>;
  /** Resolves when the run is completed. */
  completed(run: string): Promise<RunInfo>;
}

/** Response of `GET /v1/scale`. */
const SCALE = {
  backlogRows: 0,
  backlogTokens: 0,
  rowsPerSecond: 0,
  tokensPerSecond: 0,
  workers: 0,
  cpuSaturation: null,
  tokensPerSecondPerWorker: null,
  drainTargetSeconds: 600,
  desiredWorkers: 0,
};

/** Starts the API; it stops with the test. */
export async function startApi({
  config,
  limits,
  access,
  ...options
}: TestApiOptions = {}): Promise<TestApi> {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  const collecting = await startCollecting(redis, dataDir, options);
  const logged: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug' },
    new Writable({
      write(line, _encoding, done) {
        logged.push(JSON.parse(String(line)));
        done();
      },
    }),
  );
  const state = { isWaitingForRedis: false };
  const allConfig = { ...readConfig({}), ...config };
  const assertLeaseHeld = () => {};
  const files = await FileStore.open({ assertLeaseHeld, log }, dataDir);
  const batches = await OpenAiBatchStore.open(
    { runs: collecting.runs, files, config: allConfig, assertLeaseHeld, log },
    dataDir,
  );
  onTestFinished(async () => {
    await batches.close();
    files.close();
  });
  const alerts = new FiringAlerts();
  const columns = new RunColumns(16 * 1024 * 1024);
  const server = createServer(
    createApi({
      service: {
        runs: () => {
          if (state.isWaitingForRedis)
            throw new UnavailableError('redis-unavailable', 'the producer is starting');
          return collecting.runs;
        },
        health: async () => testHealth(state.isWaitingForRedis ? { folderWaitsFor: 'Redis' } : {}),
        metrics: async () => ({
          contentType: 'text/plain; version=0.0.4',
          body: 'embedmill_runs_active 0\n',
        }),
        countRequest: () => {},
        alerts: () => alerts,
        scale: async () => SCALE,
        overview: async () => {
          throw new Error('the overview is tested on a whole producer');
        },
        // No worker is connected.
        assertOffered: async () => {},
        offeredModels: async () => [],
        lane: () => hashLane(),
        files: () => files,
        batches: () => batches,
        columns: () => columns,
      },
      config: allConfig,
      log,
      version: '1.2.3',
      limits: { progressIntervalMs: 50, ...limits },
      ...(access === undefined ? {} : { access }),
    }),
  );
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const call: TestApi['call'] = (method, path, init = {}) => fetch(`${url}${path}`, { method, ...init });
  return Object.assign(state, {
    url,
    port,
    redis,
    dataDir,
    collecting,
    logged,
    connections: () =>
      new Promise<number>((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    call,
    create: async (body: Record<string, unknown> = {}) => {
      const response = await call('POST', '/v1/runs', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ batchRows: 10, ...body }),
      });
      return (await response.json()) as RunInfo;
    },
    send: (run: string, part: number, rows: readonly unknown[]) =>
      call('POST', `/v1/runs/${run}/rows?part=${part}`, {
        headers: { 'content-type': 'application/x-ndjson' },
        body: linesOf(rows),
      }),
    completed: async (run: string) => {
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
        const response = await call('GET', `/v1/runs/${run}`);
        const shown = (await response.json()) as RunInfo;
        if (shown.state === 'completed') return shown;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`run ${run} was not completed within 20 s`);
    },
  });
}

/** Values as JSON lines. */
export function linesOf(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** Rows with ids `id-<start>`, `id-<start + 1>` … and different texts. */
export function makeRows(count: number, start = 0): { id: string; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `id-${start + i}`,
    text: `opinion ${start + i} about thing ${(start + i) % 7}`,
  }));
}

/** Polls until `isTrue` holds; fails after `timeoutMs`. For conditions without an event. */
export async function until(isTrue: () => boolean | Promise<boolean>, timeoutMs = 120_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await isTrue()); ) {
    if (Date.now() > deadline) throw new Error(`condition not met within ${timeoutMs} ms: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
