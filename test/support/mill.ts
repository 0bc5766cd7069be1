/** Producer and worker processes for tests that kill them; their engine computes hash vectors. */

import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeWebStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import type { RunInfo } from '@embedmill/contract';
import { expect } from 'vitest';
import { linesOf, until } from './api.ts';
import { temporaryFolder } from './folder.ts';
import { startNode, type TestProcess, type TestProcessOptions } from './process.ts';

const PRODUCER = fileURLToPath(new URL('../../apps/producer/dist/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('../fixtures/processes/worker.mjs', import.meta.url));

/** Lock lifetime: a batch of a dead worker is done again after two or three of them. */
export const LOCK_MS = 1500;

/** Processes start within 2 s; on a heavily loaded machine it may take 30 s. */
const START_MS = 60_000;

/** A Redis and a key prefix. */
export interface MillPlace {
  url: string;
  prefix: string;
}

/** A row as sent. */
export interface SentRow {
  id: string;
  text: string;
}

/** A producer process, and requests to it. */
export interface ProducerProcess {
  process: TestProcess;
  url: string;
  /** Sends a request; fails without a response within `timeoutMs` (default 1 minute). */
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

/** Starts a producer process; its API is up when this resolves. */
export async function startProducerProcess(
  { url: redisUrl, prefix }: MillPlace,
  dataDir: string,
  env: Record<string, string> = {},
  { cgroup }: Pick<TestProcessOptions, 'cgroup'> = {},
): Promise<ProducerProcess> {
  const started = startNode([PRODUCER], {
    env: { REDIS_URL: redisUrl, EMBEDMILL_PREFIX: prefix, EMBEDMILL_DATA_DIR: dataDir, PORT: '0', ...env },
    ...(cgroup === undefined ? {} : { cgroup }),
  });
  const [, url = ''] = await started.waitFor(/"url":"([^"]+)"/, START_MS);
  const call: ProducerProcess['call'] = (method, path, init = {}, timeoutMs = 60_000) =>
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
    ended: async (run, timeoutMs = 120_000) => {
      await until(async () => !['open', 'sealed'].includes((await info(run)).state), timeoutMs);
      return await info(run);
    },
    ready: (timeoutMs = 120_000) => until(async () => (await call('GET', '/readyz')).ok, timeoutMs),
  };
}

/** The worker of the product, with its model. */
export const REAL_WORKER = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));

/** Starts a worker program with one thread and short locks; it may not be ready yet. */
export function spawnWorker(
  program: string,
  { url, prefix }: MillPlace,
  env: Record<string, string> = {},
): TestProcess {
  return startNode([program], {
    env: {
      REDIS_URL: url,
      EMBEDMILL_PREFIX: prefix,
      EMBEDMILL_WORKER_PORT: '0',
      EMBEDMILL_THREADS: '1',
      EMBEDMILL_LOCK_MS: String(LOCK_MS),
      ...env,
    },
  });
}

/** Starts a worker process; it is ready when this resolves. */
export async function startWorkerProcess(
  place: MillPlace,
  env: Record<string, string> = {},
  program = WORKER,
): Promise<TestProcess> {
  const worker = spawnWorker(program, place, env);
  await worker.waitFor(/worker is ready/, START_MS);
  return worker;
}

/** Starts a worker that is restarted whenever it exits; stop it before the test ends. */
export function startRestartingWorker(
  place: MillPlace,
  env: Record<string, string>,
): { crashes: () => number; stop: () => void } {
  let crashes = 0;
  let isOver = false;
  const live = async () => {
    while (!isOver) {
      const worker = await startWorkerProcess(place, env);
      await worker.exited;
      crashes += 1;
    }
  };
  live().catch((error) => {
    if (!isOver) throw error;
  });
  const stop = () => {
    isOver = true;
  };
  return { crashes: () => crashes, stop };
}

/** A run in work and its processes. */
export interface RunInWork {
  producer: ProducerProcess;
  worker: TestProcess;
  run: string;
  rows: readonly SentRow[];
}

/** Starts a producer, a worker that takes 5 ms per text, and a sealed run of `count` rows (default 200). */
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

/**
 * Waits until a run has ended, and expects it to be completed with the right vector for every row.
 * @param timeoutMs maximum wait. Default 2 minutes
 */
export async function expectWhole(
  { producer, run, rows }: Pick<RunInWork, 'producer' | 'run' | 'rows'>,
  timeoutMs = 120_000,
): Promise<void> {
  const info = await producer.ended(run, timeoutMs);
  expect(info).toMatchObject({ state: 'completed', verdicts: { ok: rows.length, failed: 0 } });
  expect(await faultsOfResults(rows, resultLines(producer, run))).toEqual([]);
}

/** Results of a run line by line, with vectors in base64; streamed, as a long run exceeds a string. */
export async function* resultLines(producer: ProducerProcess, run: string): AsyncGenerator<string> {
  const path = `/v1/runs/${run}/results?format=jsonl&encoding=base64`;
  const answer = await producer.call('GET', path, {}, 600_000);
  expect(answer.status).toBe(200);
  yield* createInterface({ input: Readable.fromWeb(answer.body as NodeWebStream) });
}

/** Rows with different ids and texts. */
export function sentRows(count: number, start = 0): SentRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `id-${start + i}`,
    text: `opinion number ${start + i}`,
  }));
}

/**
 * Faults of the results of a run, as sentences; empty when each sent row is there once, in order, with
 * exactly the vector of its text. At most twenty.
 */
export async function faultsOfResults(
  rows: readonly SentRow[],
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<string[]> {
  const faults: string[] = [];
  let count = 0;
  for await (const line of lines) {
    const found = JSON.parse(line) as { id: string; vector: string | null };
    const row = rows[count];
    if (faults.length < 20 && row !== undefined) faults.push(...faultsOfRow(row, count, found));
    count += 1;
  }
  if (count !== rows.length) faults.push(`${rows.length} rows were sent, ${count} came back`);
  return faults;
}

function faultsOfRow(row: SentRow, place: number, found: { id: string; vector: string | null }): string[] {
  if (found.id !== row.id) return [`row ${place} is ${found.id}, expected ${row.id}`];
  if (found.vector === null) return [`row ${row.id} has no vector`];
  const bytes = Buffer.from(found.vector, 'base64');
  return bytes.equals(hashEngineVector(row.text, bytes.byteLength / 4))
    ? []
    : [`row ${row.id} has another text's vector`];
}

/** Bytes of the vector that `fixtures/engines/hash.mjs` computes for a text. */
export function hashEngineVector(text: string, dim: number): Buffer {
  const hash = createHash('sha256').update(text).digest();
  return Buffer.from(Float32Array.from({ length: dim }, (_, i) => hash[i % hash.length]! / 255).buffer);
}
