/** A producer and a worker with the real model that serve all tests of a file. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, createLogger, readConfig } from '@embedmill/core';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { type RunningWorker, startWorker } from '@embedmill/worker';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, inject } from 'vitest';

/** The processes, once `beforeAll` has run. */
export interface Lane {
  producer: RunningProducer;
  worker: RunningWorker;
  config: Config;
}

/** Starts both before all tests of the file and stops them after. */
export function laneForAll(settings: Partial<Config> = {}): Lane {
  const log = createLogger({ logLevel: 'silent' }, 'test');
  const prefix = `test${randomBytes(6).toString('hex')}`;
  const dataDir = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
  const lane = {} as Lane;
  beforeAll(async () => {
    const redisUrl = inject('redisUrl');
    const own = { redisUrl, prefix, dataDir, port: 0, workerPort: 0, threads: 2 };
    lane.config = { ...readConfig({}), ...own, ...settings };
    lane.producer = await startProducer(lane.config, { log });
    lane.worker = await startWorker(lane.config, { log });
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
