/** A complete producer: API, runs, collector and lease on one Redis. */

import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linesOf, makeRows, until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

async function start(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  dataDir: string,
): Promise<RunningProducer> {
  const config = readConfig({
    REDIS_URL: url,
    PORT: '0',
    EMBEDMILL_PREFIX: prefix,
    EMBEDMILL_DATA_DIR: dataDir,
    EMBEDMILL_BATCH_ROWS: '20',
  });
  const producer = await startProducer(config, { log });
  onTestFinished(() => producer.stop());
  return producer;
}

const isReady = async ({ url }: RunningProducer) => (await fetch(`${url}/readyz`)).status === 200;

/** Creates a sealed run with these rows as its only part and returns its id. */
async function submit({ url }: RunningProducer, count: number): Promise<string> {
  const { id } = (await (await fetch(`${url}/v1/runs`, { method: 'POST' })).json()) as { id: string };
  const sent = await fetch(`${url}/v1/runs/${id}/rows?part=0`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: linesOf(makeRows(count)),
  });
  expect(sent.status).toBe(201);
  expect((await fetch(`${url}/v1/runs/${id}/seal`, { method: 'POST' })).status).toBe(200);
  return id;
}

const stateOf = async ({ url }: RunningProducer, run: string) => {
  const response = await fetch(`${url}/v1/runs/${run}`);
  return ((await response.json()) as { state: string }).state;
};

describe('a producer', () => {
  it('processes a run from rows to results and counts its requests', async () => {
    const redis = testRedis();
    const producer = await start(redis, temporaryFolder());
    await until(() => isReady(producer));
    await startHashWorker(redis);
    const run = await submit(producer, 200);
    await until(async () => (await stateOf(producer, run)) === 'completed');
    const results = await (await fetch(`${producer.url}/v1/runs/${run}/results`)).text();
    expect(results.trimEnd().split('\n')).toHaveLength(200);
    const metrics = await (await fetch(`${producer.url}/metrics`)).text();
    expect(metrics).toContain('embedmill_credit_used_bytes 0\n');
  });

  it('gives its data folder to another producer only after it has stopped; runs continue there', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await start(redis, dataDir);
    await until(() => isReady(first));
    const run = await submit(first, 100);
    const second = await start(redis, dataDir);
    const refused = await fetch(`${second.url}/v1/runs`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await isReady(second)).toBe(false);
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200);
    await first.stop();
    await until(() => isReady(second));
    expect(await stateOf(second, run)).toBe('sealed');
    await startHashWorker(redis);
    await until(async () => (await stateOf(second, run)) === 'completed');
  });

  it('reports within seconds that it is alive but not ready without Redis', async () => {
    const { prefix } = testRedis();
    const producer = await start({ url: 'redis://127.0.0.1:1', prefix }, temporaryFolder());
    const startedAt = Date.now();
    expect((await fetch(`${producer.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${producer.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(((await ready.json()) as { reasons: string[] }).reasons.length).toBeGreaterThan(0);
    expect((await fetch(`${producer.url}/v1/runs`, { method: 'POST' })).status).toBe(503);
    expect(Date.now() - startedAt).toBeLessThan(3000);
  });
});
