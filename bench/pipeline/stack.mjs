/**
 * A private Redis, a producer and a worker as processes, as `embedmill embed` starts them; and a client that
 * measures one run.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfig, resolveRedis } from '@embedmill/core/process';

const PRODUCER = fileURLToPath(new URL('../../apps/producer/dist/main.js', import.meta.url));
const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url));

/** Rows of one upload, as the CLI sends them. */
const PART_ROWS = 2000;

/** Starts a module as a child and waits until it says that it is ready. */
export async function startChild(path, env) {
  const child = fork(path, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${path} ended with ${code}`))),
  ]);
  return { child, url: message.url };
}

/** @param {{ threads: number, engine?: string }} options */
export async function startStack({ threads, engine }) {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-bench-'));
  const redis = await resolveRedis({
    dataDir: folder,
    cacheDir: readConfig(process.env).cacheDir,
    maxMemoryBytes: 1024 ** 3,
  });
  const env = {
    REDIS_URL: redis.url,
    PORT: '0',
    EMBEDMILL_WORKER_PORT: '0',
    EMBEDMILL_DATA_DIR: join(folder, 'data'),
    EMBEDMILL_THREADS: String(threads),
    EMBEDMILL_LOG_LEVEL: 'warn',
    // Every text is computed, also in the second run over the same ones.
    EMBEDMILL_REPEATS_MB: process.env.EMBEDMILL_REPEATS_MB ?? '0',
    ...(engine === undefined ? {} : { BENCH_ENGINE: engine }),
  };
  const producer = await startChild(PRODUCER, env);
  const worker = await startChild(WORKER, env);
  while (!(await fetch(`${producer.url}/readyz`)).ok) await sleep(50);
  return {
    folder,
    url: producer.url,
    workerUrl: worker.url,
    /** Resident memory of each process in MB. */
    memory: () => ({
      redis: residentMb(redis.pid),
      producer: residentMb(producer.child.pid),
      worker: residentMb(worker.child.pid),
    }),
    stop: async () => {
      for (const { child } of [worker, producer]) {
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Seconds from the first request to the last byte of the .npy file. `rows` gives texts, so that a million
 * need no memory.
 */
export async function measureRun(stack, rows) {
  const startedAt = performance.now();
  const run = await request(`${stack.url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  let part = 0;
  let lines = [];
  let row = 0;
  const send = async () => {
    await request(`${stack.url}/v1/runs/${run.id}/rows?part=${part}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    });
    part += 1;
    lines = [];
  };
  for (const text of rows) {
    row += 1;
    lines.push(JSON.stringify({ id: `row-${row}`, text, line: row }));
    if (lines.length >= PART_ROWS) await send();
  }
  if (lines.length > 0) await send();
  const memory = [stack.memory()];
  await request(`${stack.url}/v1/runs/${run.id}/seal`, { method: 'POST' });
  for (;;) {
    const { state } = await request(`${stack.url}/v1/runs/${run.id}`);
    memory.push(stack.memory());
    if (state === 'completed') break;
    await sleep(50);
  }
  const path = join(stack.folder, 'out.npy');
  const response = await fetch(`${stack.url}/v1/runs/${run.id}/results?format=npy`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path));
  const seconds = (performance.now() - startedAt) / 1000;
  await fetch(`${stack.url}/v1/runs/${run.id}`, { method: 'DELETE' });
  const most = (name) => Math.max(...memory.map((sample) => sample[name]));
  return {
    seconds,
    rows: row,
    memory: { redis: most('redis'), producer: most('producer'), worker: most('worker') },
  };
}

async function request(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

function residentMb(pid) {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
