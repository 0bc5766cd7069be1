/** A worker without a model: vectors are computed from hashes of texts, so tests know every bit. */

import { createHash } from 'node:crypto';
import { type RowOutcome, summarizeOutcomes } from '@embedmill/contract';
import { digestPayload, encodeBatchResult, readBatchPayload, withResultDigest } from '@embedmill/core/batch';
import {
  type BatchJob,
  BullBatchConsumer,
  connect,
  keysOf,
  RedisExchange,
  whenReady,
} from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { onTestFinished } from 'vitest';
import type { TestRedis } from './redis.ts';

/** Floats per vector of a hash worker. */
export const HASH_DIM = 16;

/** Longer texts get the verdict `truncated`. */
const MAX_CHARS = 400;
const FINGERPRINT = 'ab'.repeat(8);
const SECOND = 1000;

const log = createLogger({ logLevel: 'silent' }, 'test');

/** What a test can change. */
export interface HashWorkerOptions {
  /** Called before each batch; it may wait. */
  before?: (job: BatchJob) => Promise<void> | void;
  /** Changes the bytes of a result before the commit. */
  tamper?: (result: Uint8Array, job: BatchJob) => Uint8Array;
  /** Ignores digests, as workers before 0.2 do. */
  isOld?: boolean;
  /** Fingerprint in its results: 16 hexadecimal characters. */
  fingerprint?: string;
}

/** The vector of a text; zeros for an empty one. */
export function hashVector(text: string): Float32Array {
  if (text.trim() === '') return new Float32Array(HASH_DIM);
  return Float32Array.from(
    createHash('sha256').update(text).digest().subarray(0, HASH_DIM),
    (byte) => byte / 255,
  );
}

/** The bytes that a hash worker commits for a batch. */
export function hashResult(
  batch: number,
  texts: readonly string[],
  precision: BatchJob['precision'],
  fingerprint = FINGERPRINT,
): { result: Uint8Array; outcomes: RowOutcome[] } {
  const vectors = new Float32Array(texts.length * HASH_DIM);
  for (const [row, text] of texts.entries()) vectors.set(hashVector(text), row * HASH_DIM);
  const outcomes = texts.map(judgeHash);
  const rows = texts.length;
  const result = encodeBatchResult({ batch, rows, dim: HASH_DIM, precision, fingerprint, vectors, outcomes });
  return { result, outcomes };
}

/** Starts a worker; it stops with the test. */
export async function startHashWorker(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  {
    before = () => {},
    tamper = (result) => result,
    isOld = false,
    fingerprint = FINGERPRINT,
  }: HashWorkerOptions = {},
): Promise<BullBatchConsumer> {
  const keys = keysOf(prefix);
  const redis = connect(url, 'patient', log);
  await whenReady(redis, 5 * SECOND);
  const exchange = new RedisExchange({ redis, keys });
  const consumer = new BullBatchConsumer({
    url,
    prefix: keys.queuePrefix,
    concurrency: 2,
    lockMs: 30 * SECOND,
    log,
    abandon: async () => {},
    consume: async (job) => {
      await before(job);
      const taken = await exchange.takePayload(job.run, job.batch, job.home);
      if (taken.status !== 'taken') return { status: 'done' };
      const { digest, payloadDigest }: Partial<BatchJob> = isOld ? {} : job;
      if (payloadDigest !== undefined && digestPayload(taken.payload) !== payloadDigest) {
        await exchange.dropPayload(job.run, job.batch);
        await exchange.takePayload(job.run, job.batch, job.home);
        return { status: 'done' };
      }
      const payload = readBatchPayload(taken.payload);
      const texts = Array.from({ length: payload.rows }, (_, row) => payload.text(row));
      const { result, outcomes } = hashResult(job.batch, texts, job.precision, fingerprint);
      const stated = digest === undefined ? result : withResultDigest(result, digest);
      await exchange.commit(job.run, job.batch, job.home, tamper(stated, job), summarizeOutcomes(outcomes));
      return { status: 'done' };
    },
  });
  consumer.start();
  onTestFinished(async () => {
    await consumer.stop(0);
    redis.disconnect();
  });
  return consumer;
}

/** Outcome of a text. */
export function judgeHash(text: string): RowOutcome {
  if (text.trim() === '') return { verdict: 'empty', tokens: 0, lostTokens: 0 };
  const tokens = text.split(/\s+/).length + 2;
  if (text.length <= MAX_CHARS) return { verdict: 'ok', tokens, lostTokens: 0 };
  return { verdict: 'truncated', tokens, lostTokens: text.length - MAX_CHARS };
}
