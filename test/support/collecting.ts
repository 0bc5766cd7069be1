/** A producer without HTTP: runs, queue and collector on the Redis of a test. */

import { Writable } from 'node:stream';
import { type RowRead, UNTREATED } from '@embedmill/contract';
import { BullBatchQueue, connect, keysOf, RedisExchange, whenReady } from '@embedmill/core/redis';
import { Collector, Credits, type Run, Runs, readResults } from '@embedmill/core/runs';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { until } from './api.ts';
import type { TestRedis } from './redis.ts';

/** Parts of the producer, and shortcuts. */
export interface Collecting {
  runs: Runs;
  credits: Credits;
  queue: BullBatchQueue;
  exchange: RedisExchange;
  /** Starts a run, adds these texts as part 0 and seals it unless `seal` is false. */
  submit(texts: readonly string[], options?: Partial<Run['options']> & { seal?: boolean }): Promise<Run>;
  /** Log lines so far. */
  logged: Record<string, unknown>[];
  /** Starts collecting, after `waits`. */
  collect(): void;
  /** Makes the collector compare Redis with the disk. */
  audit(): void;
  /** Stops before the end of the test, as a process does; the data folder can then be opened again. */
  stop(): Promise<void>;
}

/** What a test can change. */
export interface CollectingOptions {
  /** Limit of the credits in bytes. Default 256 MB. */
  budgetBytes?: number;
  /** Bytes of results per shard. Default 1 MB. */
  shardBytes?: number;
  /** Called for each unreadable entry of the ready stream. */
  onUnreadable?: (entry: string, content: string) => void;
  /** Collects only after a call of `collect`. */
  waits?: boolean;
  /** Estimated tokens per second of the workers. Default: unknown. */
  tokensPerSecond?: number;
  /** Called before each write to the data folder. */
  assertLeaseHeld?: () => void;
  /** Days for which finished runs are kept. Default: until they are deleted. */
  keepRunsDays?: number;
}

/** Opens the data folder and collects until the test ends. */
export async function startCollecting(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  dataDir: string,
  {
    budgetBytes = 256 * 1024 * 1024,
    shardBytes = 1024 * 1024,
    waits = false,
    tokensPerSecond,
    assertLeaseHeld = () => {},
    keepRunsDays,
    onUnreadable = () => {},
  }: CollectingOptions = {},
): Promise<Collecting> {
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
  const keys = keysOf(prefix);
  const redis = connect(url, 'command', log);
  const blocking = connect(url, 'patient', log);
  await whenReady(redis, 5000);
  const exchange = new RedisExchange({ redis, blocking, keys, onUnreadable });
  const queue = new BullBatchQueue({ url, prefix: keys.queuePrefix, onError: () => {} });
  // The queue has a connection of its own, which accepts no jobs before it is ready.
  await until(() =>
    queue.counts().then(
      () => true,
      () => false,
    ),
  );
  const credits = new Credits(budgetBytes);
  const dataDirId = 'home';
  const tokensPerSecondOf = () => tokensPerSecond;
  const runs = await Runs.open(
    { dataDirId, exchange, queue, credits, tokensPerSecondOf, keepRunsDays, assertLeaseHeld, log },
    dataDir,
  );
  const collector = new Collector({ dataDirId, runs, exchange, queue, credits, shardBytes, log });
  redis.on('ready', () => collector.audit());
  if (!waits) collector.start();
  const release = async () => {
    const stopped = collector.stop();
    blocking.disconnect();
    await stopped;
    await runs.close();
    await queue.close();
    redis.disconnect();
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= release();
    return stopping;
  };
  onTestFinished(stop);
  return {
    runs,
    credits,
    queue,
    exchange,
    logged,
    collect: () => collector.start(),
    audit: () => collector.audit(),
    stop,
    submit: async (texts, { seal = true, ...options } = {}) => {
      const run = await runs.create({
        options: {
          name: null,
          model: 'all-MiniLM-L6-v2',
          precision: 'int8',
          truncate: 'end',
          ...UNTREATED,
          batchRows: 20,
          batchTokens: 8192,
          ...options,
        },
      });
      await run.addPart({ part: 0, rows: rowsOf(texts), sha256: () => 'sha' });
      if (seal) await run.seal();
      return run;
    },
  };
}

/** Texts as the rows of a part, without ids. */
export async function* rowsOf(texts: readonly string[]): AsyncIterable<RowRead[]> {
  yield texts.map((text, i) => ({ ok: true, line: i + 1, id: null, text }));
}

/** Resolves when the run has ended; fails after `timeoutMs` with the state of the run. */
export async function whenEnded(run: Run, timeoutMs = 120_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (run.isActive) {
    if (Date.now() > deadline) throw new Error(`the run has not ended: ${JSON.stringify(run.info())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** All vectors of a run, concatenated. */
export async function vectorBytes(run: Run): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const { vectors } of readResults(run)) {
    blocks.push(Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength));
  }
  return Buffer.concat(blocks);
}
