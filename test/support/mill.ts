/** A producer and workers as processes of their own, for tests that kill them; the engine makes vectors of hashes. */

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { RunInfo } from '@embedmill/core';
import { expect } from 'vitest';
import { linesOf, until } from './api.ts';
import { temporaryFolder } from './folder.ts';
import { startNode, type TestProcess } from './process.ts';

const PRODUCER = fileURLToPath(new URL('../../apps/producer/dist/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../fixtures/processes/worker.mjs', import.meta.url));

/** Lock of a worker: a batch of a dead one is done again after two or three of them. */
export const LOCK_MS = 1500;

/** Which Redis, and which corner of it. */
export interface MillPlace {
  url: string;
  prefix: string;
}

/** A row as it is sent. */
export interface SentRow {
  id: string;
  text: string;
}

/** A producer process and what a test asks it. */
export interface ProducerProcess {
  process: TestProcess;
  url: string;
  /** A request; it fails when there is no answer within `timeoutMs` (default 10 s). */
  call(method: string, path: string, init?: RequestInit, timeoutMs?: number): Promise<Response>;
  /** Starts a run with batches of `batchRows` (default 10). */
  create(batchRows?: number): Promise<string>;
  send(run: string, part: number, rows: readonly SentRow[]): Promise<Response>;
  seal(run: string): Promise<Response>;
  info(run: string): Promise<RunInfo>;
  /** Waits until the run has ended. */
  ended(run: string, timeoutMs?: number): Promise<RunInfo>;
  ready(timeoutMs?: number): Promise<void>;
}

/** Starts a producer process; its API answers when this resolves. */
export async function startProducerProcess(
  { url: redisUrl, prefix }: MillPlace,
  dataDir: string,
  env: Record<string, string> = {},
): Promise<ProducerProcess> {
  const started = startNode([PRODUCER], {
    env: { REDIS_URL: redisUrl, EMBEDMILL_PREFIX: prefix, EMBEDMILL_DATA_DIR: dataDir, PORT: '0', ...env },
  });
  const [, url = ''] = await started.waitFor(/"url":"([^"]+)"/);
  const call: ProducerProcess['call'] = (method, path, init = {}, timeoutMs = 10_000) =>
    fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(timeoutMs), ...init });
  const info = async (run: string) => (await (await call('GET', `/v1/runs/${run}`)).json()) as RunInfo;
  return {
    process: started,
    url,
    call,
    info,
    create: async (batchRows = 10) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await call('POST', '/v1/runs', { headers, body: JSON.stringify({ batchRows }) });
      return ((await answer.json()) as RunInfo).id;
    },
    send: (run, part, rows) =>
      call('POST', `/v1/runs/${run}/rows?part=${part}`, {
        headers: { 'content-type': 'application/x-ndjson' },
        body: linesOf(rows),
      }),
    seal: (run) => call('POST', `/v1/runs/${run}/seal`),
    ended: async (run, timeoutMs = 40_000) => {
      await until(async () => !['open', 'sealed'].includes((await info(run)).state), timeoutMs);
      return await info(run);
    },
    ready: (timeoutMs = 20_000) => until(async () => (await call('GET', '/readyz')).ok, timeoutMs),
  };
}

/** Starts a worker process; it does not wait for Redis. */
export async function startWorkerProcess(
  { url, prefix }: MillPlace,
  env: Record<string, string> = {},
): Promise<TestProcess> {
  const worker = startNode([WORKER], {
    env: {
      REDIS_URL: url,
      EMBEDMILL_PREFIX: prefix,
      EMBEDMILL_WORKER_PORT: '0',
      EMBEDMILL_THREADS: '1',
      EMBEDMILL_LOCK_MS: String(LOCK_MS),
      ...env,
    },
  });
  await worker.waitFor(/worker is ready/);
  return worker;
}

/** A run in the middle of its work, and what works on it. */
export interface RunInWork {
  producer: ProducerProcess;
  worker: TestProcess;
  run: string;
  rows: readonly SentRow[];
}

/** Starts a producer, a worker that takes 5 ms for a text, and a sealed run of `count` rows (default 200) that has just begun. */
export async function startRunInWork(place: MillPlace, count = 200): Promise<RunInWork> {
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  const worker = await startWorkerProcess(place, { HASH_ENGINE_TEXT_MS: '5' });
  const run = await producer.create();
  const rows = sentRows(count);
  expect((await producer.send(run, 0, rows)).status).toBe(201);
  await producer.seal(run);
  await until(async () => (await producer.info(run)).rows.done > 10);
  return { producer, worker, run, rows };
}

/** Waits for the end of a run; it must be completed, with the right vector for every row. */
export async function expectWhole({
  producer,
  run,
  rows,
}: Pick<RunInWork, 'producer' | 'run' | 'rows'>): Promise<void> {
  const info = await producer.ended(run, 60_000);
  expect(info).toMatchObject({ state: 'completed', verdicts: { ok: rows.length, failed: 0 } });
  const results = await producer.call('GET', `/v1/runs/${run}/results?format=jsonl`);
  expect(faultsOfResults(rows, await results.text())).toEqual([]);
}

/** Rows with ids and a text each; no two alike. */
export function sentRows(count: number, start = 0): SentRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `id-${start + i}`,
    text: `opinion number ${start + i}`,
  }));
}

/**
 * What is wrong with the results of a run, as sentences; empty when each sent row is there once, in order, with the
 * vector of its text.
 */
export function faultsOfResults(rows: readonly SentRow[], jsonl: string): string[] {
  const found = jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; vector: number[] | null });
  const faults: string[] = [];
  if (found.length !== rows.length) faults.push(`${rows.length} rows were sent, ${found.length} came back`);
  for (const [i, row] of rows.entries()) {
    const result = found[i];
    if (result?.id !== row.id) faults.push(`row ${i} is ${result?.id}, expected ${row.id}`);
    else if (result.vector === null) faults.push(`row ${row.id} has no vector`);
    else if (!isVectorOf(row.text, result.vector)) faults.push(`row ${row.id} has another text's vector`);
  }
  return faults;
}

function isVectorOf(text: string, vector: readonly number[]): boolean {
  const hash = createHash('sha256').update(text).digest();
  return vector.length > 0 && vector.every((x, i) => Math.abs(x - hash[i % hash.length]! / 255) < 1e-6);
}
