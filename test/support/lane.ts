/** A producer and a worker with the real model, shared by the tests of a file. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '@embedmill/core/process';
import { connect, keysOf, RedisClock, RedisInteractiveLane, whenReady } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, inject } from 'vitest';
import { until } from './api.ts';

/** Response of `POST /v1/embed`. */
export interface EmbedJson {
  fingerprint: string;
  dim: number;
  vectors: (number[] | string | null)[];
  outcomes: { verdict: string; tokens: number; lostTokens: number; message?: string }[];
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Sends `POST /v1/embed` to a producer. */
export function postEmbed(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...init.headers };
  return fetch(`${url}/v1/embed`, { method: 'POST', body: JSON.stringify(body), ...init, headers });
}

/** The servers, once `beforeAll` has run. */
export interface Lane {
  producer: RunningProducer;
  worker: RunningWorker;
  config: Config;
}

/** Starts both before all tests of the file and stops them after. @param engineUrl instead of the model */
export function laneForAll(settings: Partial<Config> = {}, engineUrl?: URL): Lane {
  const log = createLogger({ logLevel: 'silent' }, 'test');
  const prefix = `test${randomBytes(6).toString('hex')}`;
  const dataDir = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
  const lane = {} as Lane;
  beforeAll(async () => {
    const redisUrl = inject('redisUrl');
    const own = { redisUrl, prefix, dataDir, port: 0, workerPort: 0, threads: 2 };
    lane.config = { ...readConfig({}), ...own, ...settings };
    lane.producer = await startProducer(lane.config, { log });
    lane.worker = await startWorker(lane.config, { log, ...(engineUrl === undefined ? {} : { engineUrl }) });
    // It rejects runs until its data folder is open.
    await until(async () => (await fetch(`${lane.producer.url}/readyz`)).ok);
  });
  afterAll(async () => {
    await lane.worker.stop();
    await lane.producer.stop();
    const client = new Redis(inject('redisUrl'));
    const left = await client.keys(`*${prefix}*`);
    if (left.length > 0) await client.unlink(left);
    client.disconnect();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  return lane;
}

/** A separate lane beside that of the producer, for what no route offers; call the result inside tests. */
export function laneClientForAll(lane: Lane): () => RedisInteractiveLane {
  let client: RedisInteractiveLane;
  const log = createLogger({ logLevel: 'silent' }, 'test');
  beforeAll(async () => {
    const { redisUrl = '', prefix } = lane.config;
    const keys = keysOf(prefix);
    const modes = ['command', 'command', 'bulk'] as const;
    const [redis, subscriber, sender] = modes.map((mode) => connect(redisUrl, mode, log)) as [
      Redis,
      Redis,
      Redis,
    ];
    await Promise.all([redis, subscriber, sender].map((connection) => whenReady(connection, 5000)));
    const clock = new RedisClock(redis);
    const deps = { redis, sender, subscriber, keys, clock, model: 'all-MiniLM-L6-v2', maxTexts: 1000, log };
    client = new RedisInteractiveLane(deps);
    client.start();
    return async () => {
      client.stop();
      sender.disconnect();
      subscriber.disconnect();
      redis.disconnect();
    };
  });
  return () => client;
}
