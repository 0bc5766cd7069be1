/** Work for models that nobody has, or that would be refused, is not begun. */

import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '@embedmill/core/process';
import { keysOf } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { startProducer } from '@embedmill/producer';
import { startWorker } from '@embedmill/worker';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { laneForAll, postEmbed } from '../support/lane.ts';
import { testRedis } from '../support/redis.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');
const HASH_ENGINE = new URL('../fixtures/engines/hash.mjs', import.meta.url);
const lane = laneForAll({}, HASH_ENGINE);

function postRun(url: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/v1/runs`, { method: 'POST', headers, body: JSON.stringify(body) });
}

describe('with connected workers', () => {
  it('a run or a call for a model that none of them has is refused with the models that exist', async () => {
    await until(async () => (await postRun(lane.producer.url, {})).status === 201);
    const expected = { code: 'unknown-model', models: [lane.worker.model] };
    await until(async () => (await postRun(lane.producer.url, { model: 'nobody-has-it' })).status === 422);
    const run = await postRun(lane.producer.url, { model: 'nobody-has-it' });
    expect(await run.json()).toMatchObject(expected);
    const call = await postEmbed(lane.producer.url, { text: 'a', model: 'nobody-has-it' });
    expect([call.status, await call.json()]).toEqual([422, expect.objectContaining(expected)]);
  });
});

describe('with a worker whose model is not announced', () => {
  it('a call is told to come again', async () => {
    const { redisUrl = '', prefix } = lane.config;
    const keys = keysOf(prefix);
    const redis = new Redis(redisUrl);
    onTestFinished(() => redis.disconnect());
    const report = { id: 'w', host: 'h', model: 'late', fingerprint: 'f' };
    await redis.set(keys.worker('w'), JSON.stringify(report), 'PX', 60_000);
    await redis.sadd(keys.workers, 'w');
    const call = () => postEmbed(lane.producer.url, { text: 'a', model: 'late' });
    await expect.poll(async () => (await call()).status).toBe(503);
    expect(await (await call()).json()).toMatchObject({ code: 'model-loading' });
  });
});

describe('without a worker', () => {
  it('a run is accepted, and its info says what it waits for', async () => {
    const { url: redisUrl, prefix } = testRedis();
    const own = { redisUrl, prefix, dataDir: temporaryFolder(), port: 0 };
    const producer = await startProducer({ ...readConfig({}), ...own }, { log });
    onTestFinished(() => producer.stop());
    await until(async () => (await fetch(`${producer.url}/readyz`)).ok);
    const answer = await postRun(producer.url, { model: 'rare' });
    expect(answer.status).toBe(201);
    const { id } = (await answer.json()) as { id: string };
    const waitsFor = async () =>
      ((await (await fetch(`${producer.url}/v1/runs/${id}`)).json()) as { waitsFor: string | null }).waitsFor;
    await expect
      .poll(waitsFor)
      .toMatch(/^it waits for a worker with the model .rare.; no worker is connected$/);
  });
});

describe('a run with vectors of another build of its model', () => {
  it('has its batches handed back by the worker before they are computed, with growing pauses', async () => {
    const redis = testRedis();
    const { submit } = await startCollecting(redis, temporaryFolder());
    const texts = Array.from({ length: 600 }, (_, i) => `text ${i}`);
    const other = await startHashWorker(redis, { before: () => sleep(200) });
    const run = await submit(texts);
    await expect.poll(() => run.info().batches.done).toBeGreaterThan(0);
    await other.stop(5000);
    const config = {
      ...readConfig({}),
      redisUrl: redis.url,
      prefix: redis.prefix,
      workerPort: 0,
      threads: 1,
      lockMs: 1000,
    };
    const worker = await startWorker(config, { log, engineUrl: HASH_ENGINE });
    onTestFinished(() => worker.stop());
    const metric = async (name: string) =>
      Number((await (await fetch(`${worker.url}/metrics`)).text()).split(`\n${name} `)[1]?.split('\n')[0]);
    await expect
      .poll(() => metric('embedmill_batches_total{outcome="handed-back"}'))
      .toBeGreaterThanOrEqual(1);
    expect(await metric('embedmill_texts_total{lane="bulk",verdict="ok"}')).toBe(0);
    expect(await metric('embedmill_batches_total{outcome="committed"}')).toBe(0);
    await worker.stop();
    await startHashWorker(redis);
    await whenEnded(run, 60_000);
    expect(run.info()).toMatchObject({ state: 'completed', fingerprint: 'ab'.repeat(8) });
  });
});

describe('messages that Embedmill did not write', () => {
  it('on channels, in lists and in queues stop neither worker nor producer', async () => {
    const { client } = testRedis();
    const keys = keysOf(lane.config.prefix);
    for (const message of ['', '{', 'null', '42', '[1]', '{"a":1}', '["x"]'])
      await client.publish(keys.withdrawals(lane.worker.model), message);
    const channels = (await client.pubsub('CHANNELS', `*${lane.config.prefix}*answers*`)) as string[];
    expect(channels.length).toBeGreaterThan(0);
    for (const channel of channels)
      for (const message of ['', 'abc', '\u0004\0\0\0null', '\u0002\0\0\0{}'])
        await client.publish(channel, message);
    await client.hset(keys.models, 'broken', '{', 'empty', 'null', 'other', '{"name":1}');
    await client.sadd(keys.workers, 'broken', 'empty');
    await client.set(keys.worker('broken'), '{', 'EX', 60);
    await client.set(keys.worker('empty'), 'null', 'EX', 60);
    const calls = keys.calls(lane.worker.model);
    for (const message of ['', '{', 'null', '{"id":"a","producer":"b","enqueuedAt":1,"parts":[null]}'])
      await client.rpush(calls, message);
    await client.hset(
      `${keys.queuePrefix}:bulk:bad`,
      'data',
      '{"run":1}',
      'name',
      'batch',
      'opts',
      '{}',
      'timestamp',
      '1',
    );
    await client.lpush(`${keys.queuePrefix}:bulk:wait`, 'bad', 'missing');
    await client.zadd(`${keys.queuePrefix}:bulk:marker`, 0, '0');
    await expect.poll(() => client.exists(calls)).toBe(0);
    await expect.poll(() => client.llen(`${keys.queuePrefix}:bulk:wait`)).toBe(0);
    const call = await postEmbed(lane.producer.url, { text: 'still there' });
    expect(call.status).toBe(200);
    expect((await fetch(`${lane.producer.url}/v1/overview`)).status).toBe(200);
    expect((await fetch(`${lane.worker.url}/healthz`)).status).toBe(200);
  });
});
