/** A producer's inside without its HTTP: runs, queue and collector over the Redis of a test. */

import {
  BullBatchQueue,
  Collector,
  Credits,
  connect,
  createLogger,
  keysOf,
  RedisExchange,
  type RowRead,
  type Run,
  Runs,
  readResults,
  whenReady,
} from '@embedmill/core';
import { onTestFinished } from 'vitest';
import type { TestRedis } from './redis.ts';

/** What a test gets. */
export interface Collecting {
  runs: Runs;
  credits: Credits;
  queue: BullBatchQueue;
  /** Starts a run, gives it these texts as part 0 and seals it. */
  submit(texts: readonly string[], options?: Partial<Run['options']>): Promise<Run>;
}

const log = createLogger({ logLevel: 'silent' }, 'test');

/** Opens the data folder and collects for it until the test ends. */
export async function startCollecting(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  dataDir: string,
): Promise<Collecting> {
  const keys = keysOf(prefix);
  const redis = connect(url, 'command', log);
  const blocking = connect(url, 'patient', log);
  await whenReady(redis, 5000);
  const exchange = new RedisExchange({ redis, blocking, keys });
  const queue = new BullBatchQueue({ url, prefix: keys.queuePrefix, lane: 'bulk', onError: () => {} });
  const credits = new Credits(256 * 1024 * 1024);
  const home = 'home';
  const runs = await Runs.open({ home, exchange, queue, credits, log }, dataDir);
  const collector = new Collector({ home, runs, exchange, credits, shardBytes: 1024 * 1024, log });
  redis.on('ready', () => collector.audit());
  collector.start();
  onTestFinished(async () => {
    const stopped = collector.stop();
    blocking.disconnect();
    await stopped;
    await runs.close();
    await queue.close();
    redis.disconnect();
  });
  return {
    runs,
    credits,
    queue,
    submit: async (texts, options = {}) => {
      const run = await runs.create({
        name: null,
        model: 'all-MiniLM-L6-v2',
        precision: 'int8',
        truncate: 'end',
        batchRows: 20,
        batchTokens: 8192,
        ...options,
      });
      await run.addPart(0, rowsOf(texts), () => 'sha');
      await run.seal();
      return run;
    },
  };
}

/** Texts as the rows of a part, without ids. */
export async function* rowsOf(texts: readonly string[]): AsyncIterable<RowRead[]> {
  yield texts.map((text, i) => ({ ok: true, line: i + 1, id: null, text }));
}

/** Resolves when the run has ended; fails after `timeoutMs` with what it had done by then. */
export async function whenEnded(run: Run, timeoutMs = 25_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (run.isActive) {
    if (Date.now() > deadline) throw new Error(`the run has not ended: ${JSON.stringify(run.info())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All vectors of a run as one block of bytes. */
export async function vectorBytes(run: Run): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const { vectors } of readResults(run)) {
    blocks.push(Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  }
  return Buffer.concat(blocks);
}
