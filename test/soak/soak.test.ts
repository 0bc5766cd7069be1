/** Millions of rows through real processes with a trivial engine: nothing grows, no row is lost. */

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type ProducerProcess, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { residentBytes } from '../support/process.ts';
import { redisProcess } from '../support/redis-process.ts';
import { drawCurve } from './curve.ts';
import { faultsOfNumbers, MAX_ROWS, rowStream } from './numbers.ts';
import { faultsOfGrowth, type Sample, tableOf } from './samples.ts';

const ROWS = Number(process.env.SOAK_ROWS ?? 2_000_000);
const CURVE = process.env.SOAK_CURVE;
const PART_ROWS = 50_000;
const BATCH_ROWS = 252;
const WORKERS = 2;
const BUDGET_MB = 64;
const SAMPLE_INTERVAL_MS = 500;
/** Fewer samples do not show growth. */
const MIN_SAMPLES = 30;
const HOUR_MS = 3_600_000;
const MEGABYTE = 1024 * 1024;
/** BullMQ trims its event stream to about 1,000; Redis drops whole nodes, so there can be some more. */
const MAX_EVENTS = 1200;

/** Sends the rows of a run as streams, each slowed down by TCP while there is no credit, and seals it. */
async function feed(producer: ProducerProcess, run: string, rows: number): Promise<void> {
  for (let start = 0, part = 0; start < rows; start += PART_ROWS, part++) {
    const init = {
      headers: { 'content-type': 'application/x-ndjson' },
      body: rowStream(start, Math.min(rows, start + PART_ROWS)),
      duplex: 'half',
    } as RequestInit;
    const answer = await producer.call('POST', `/v1/runs/${run}/rows?part=${part}`, init, HOUR_MS);
    expect(answer.status).toBe(201);
  }
  await producer.seal(run);
}

/** Keys except BullMQ's short-lived ones. */
async function lastingKeys(client: Redis): Promise<string[]> {
  const keys = await client.keys('*');
  return keys.filter((key) => !/:(stalled-check|marker)$/.test(key)).sort();
}

describe(`a soak over ${ROWS} rows`, () => {
  it('returns each row once, and nothing grows', async () => {
    expect(ROWS).toBeLessThanOrEqual(MAX_ROWS);
    const redis = await redisProcess();
    await redis.start();
    const place = { url: redis.url, prefix: 'soak' };
    const producer = await startProducerProcess(place, temporaryFolder(), {
      EMBEDMILL_REDIS_BUDGET_MB: String(BUDGET_MB),
    });
    await producer.ready();
    const workers = await Promise.all(
      Array.from({ length: WORKERS }, () => startWorkerProcess(place, { TEST_ENGINE: 'numbered' })),
    );
    // Keys that a first run leaves (BullMQ's own, the lease of the folder) are permanent.
    const first = await producer.create(BATCH_ROWS);
    await feed(producer, first, 5000);
    await producer.ended(first);
    await producer.call('DELETE', `/v1/runs/${first}`);

    await redis.ask(async (client) => {
      const keysBefore = await lastingKeys(client);
      const redisPid = Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
      const startedAt = performance.now();
      const run = await producer.create(BATCH_ROWS);
      const measure = async (): Promise<Sample> => {
        const [memory, keys, events] = await Promise.all([
          client.info('memory'),
          client.dbsize(),
          client.xlen('{soak}:bulk:events'),
        ]);
        const [ready = ''] = await client.keys('{soak}:ready:*');
        const metrics = await (await producer.call('GET', '/metrics')).text();
        return {
          seconds: (performance.now() - startedAt) / 1000,
          rowsDone: (await producer.info(run)).rows?.done ?? 0,
          producerMb: residentBytes(producer.process.pid) / MEGABYTE,
          workerMb: Math.max(...workers.map(({ pid }) => residentBytes(pid))) / MEGABYTE,
          redisMb: residentBytes(redisPid) / MEGABYTE,
          redisUsedMb: Number(/used_memory:(\d+)/.exec(memory)?.[1]) / MEGABYTE,
          keys,
          events,
          readyEntries: await client.xlen(ready),
          creditMb: Number(/^embedmill_credit_used_bytes (\S+)/m.exec(metrics)?.[1]) / MEGABYTE,
        };
      };
      const samples: Sample[] = [];
      let isOver = false;
      const watch = async () => {
        while (!isOver) {
          const nextAt = performance.now() + SAMPLE_INTERVAL_MS;
          samples.push(await measure());
          await sleep(Math.max(0, nextAt - performance.now()));
        }
      };
      const watched = watch();
      await feed(producer, run, ROWS);
      const info = await producer.ended(run, 24 * HOUR_MS);
      isOver = true;
      await watched;
      const seconds = (performance.now() - startedAt) / 1000;
      const rate = Math.round(ROWS / seconds);
      console.log(`${ROWS} rows in ${seconds.toFixed(0)} s, ${rate} rows/s, ${samples.length} samples`);
      console.log(`\n${tableOf(samples)}\n`);
      if (CURVE !== undefined) {
        writeFileSync(CURVE, drawCurve(samples));
        console.log(`the curve is in ${CURVE}`);
      }

      expect(info).toMatchObject({
        state: 'completed',
        rows: { accepted: ROWS, rejected: 0, done: ROWS },
        verdicts: { ok: ROWS, truncated: 0, empty: 0, failed: 0 },
      });
      const results = await producer.call('GET', `/v1/runs/${run}/results?format=npy`, {}, HOUR_MS);
      expect(await faultsOfNumbers(results.body!, ROWS, info.dim!)).toEqual([]);
      expect(samples.length).toBeGreaterThanOrEqual(MIN_SAMPLES);
      expect(faultsOfGrowth(samples)).toEqual([]);
      expect(Math.max(...samples.map(({ events }) => events))).toBeLessThanOrEqual(MAX_EVENTS);
      expect(Math.max(...samples.map(({ redisUsedMb }) => redisUsedMb))).toBeLessThan(2 * BUDGET_MB);

      await producer.call('DELETE', `/v1/runs/${run}`);
      await until(async () => (await lastingKeys(client)).join() === keysBefore.join(), 30_000);
      const after = await measure();
      expect(after).toMatchObject({ readyEntries: 0, creditMb: 0 });
      console.log(`afterwards: ${JSON.stringify(after)}`);
    });
  });
});
