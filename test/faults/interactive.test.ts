/** Workers, producers and Redis fail during interactive calls: another worker answers, or the call fails in seconds. */

import { keysOf } from '@embedmill/core/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { postEmbed } from '../support/lane.ts';
import {
  expectAnswer,
  expectReported,
  held,
  sendOneByOne,
  startLaneProducer,
} from '../support/lane-faults.ts';
import { startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';
import { redisProcess } from '../support/redis-process.ts';

const SECOND = 1000;
const MODEL = 'all-MiniLM-L6-v2';

describe('a call without a worker', () => {
  it('fails within seconds, not at its deadline; with one it is answered', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const startedAt = performance.now();
    const refused = await postEmbed(producer.url, { text: 'nobody' });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'no-workers' });
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(20 * SECOND);
    await startWorkerProcess(redis);
    await expectAnswer(await postEmbed(producer.url, { text: 'somebody' }), ['somebody']);
  });
});

describe('a worker that is killed during a call', () => {
  it('leaves its calls to another one, and none is answered twice', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const first = await startWorkerProcess(redis);
    const texts = ['sleep-2000', 'beside it'];
    const call = postEmbed(producer.url, { texts }, { headers: { 'request-timeout-ms': '90000' } });
    await held(producer, 1);
    await startWorkerProcess(redis);
    first.kill('SIGKILL');
    await expectAnswer(await call, texts);
    const page = await (await producer.call('GET', '/metrics')).text();
    expect(page).toContain('embedmill_interactive_calls_total{outcome="answered"} 1\n');
  });
});

describe('a worker that stands still during a call', () => {
  it('leaves it to another one within seconds', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const first = await startWorkerProcess(redis);
    const call = postEmbed(
      producer.url,
      { text: 'sleep-1500' },
      { headers: { 'request-timeout-ms': '60000' } },
    );
    await held(producer, 1);
    await startWorkerProcess(redis);
    first.kill('SIGSTOP');
    onTestFinished(() => first.kill('SIGCONT'));
    await expectAnswer(await call, ['sleep-1500']);
  });
});

describe('a worker that is stopped during calls', () => {
  it('answers those that it has taken and leaves the others to another worker', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const first = await startWorkerProcess(redis);
    const texts = ['sleep-1500 a', 'sleep-1500 b', 'sleep-1500 c', 'sleep-1500 d'];
    const calls = await sendOneByOne(producer, texts);
    await held(producer, 2);
    await startWorkerProcess(redis);
    first.kill('SIGTERM');
    for (const [i, call] of calls.entries()) await expectAnswer(await call, [texts[i]!]);
    expect((await first.exited).code).toBe(0);
    expect(await redis.client.exists(keysOf(redis.prefix).calls(MODEL))).toBe(0);
  });
});

describe('a producer that is killed during calls', () => {
  it('leaves nothing for longer than its calls may take; a new one is answered by the same worker', async () => {
    const redis = testRedis();
    const { client, prefix } = redis;
    const calls = keysOf(prefix).calls(MODEL);
    const producer = await startLaneProducer(redis);
    await startWorkerProcess(redis);
    const texts = Array.from({ length: 5 }, (_, i) => `sleep-1500 ${i}`);
    const pending = await sendOneByOne(producer, texts);
    await until(async () => (await client.llen(calls)) > 0);
    producer.process.kill('SIGKILL');
    await Promise.all(pending);
    const lifetimeMs = await client.pttl(calls);
    expect(lifetimeMs).toBeGreaterThan(0);
    expect(lifetimeMs).toBeLessThanOrEqual(660 * SECOND);
    const second = await startLaneProducer(redis);
    await expectAnswer(await postEmbed(second.url, { text: 'after it' }), ['after it']);
    expect(await client.exists(calls)).toBe(0);
  });
});

describe('calls whose list is deleted', () => {
  it('are sent again within seconds', async () => {
    const redis = testRedis();
    const calls = keysOf(redis.prefix).calls(MODEL);
    const producer = await startLaneProducer(redis);
    await startWorkerProcess(redis);
    const texts = Array.from({ length: 5 }, (_, i) => `sleep-1500 ${i}`);
    const answers = await sendOneByOne(producer, texts);
    await until(async () => (await redis.client.llen(calls)) > 0);
    await redis.client.del(calls);
    for (const [i, answer] of answers.entries()) await expectAnswer(await answer, [texts[i]!]);
  });
});

describe('workers of another version of the lane', () => {
  it('are not counted, and the error says what to do', async () => {
    const redis = testRedis();
    const keys = keysOf(redis.prefix);
    const older = redis.client.duplicate();
    onTestFinished(() => older.disconnect());
    await older.subscribe(keys.firstWithdrawals);
    const producer = await startLaneProducer(redis);
    const refused = await postEmbed(producer.url, { text: 'new' });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      code: 'no-workers',
      detail: expect.stringContaining('older than 0.2'),
    });
    // A producer before 0.2 counts the subscribers of this channel, and rejects its calls when there are none.
    await older.unsubscribe();
    await startWorkerProcess(redis);
    expect(await redis.client.pubsub('NUMSUB', keys.firstWithdrawals)).toEqual([keys.firstWithdrawals, 0]);
    await expectAnswer(await postEmbed(producer.url, { text: 'new' }), ['new']);
  });
});

describe('a Redis that is killed', () => {
  it('is reported within seconds, also to waiting calls; the lane works when Redis is back', async () => {
    const redis = await redisProcess();
    await expectReported(redis, { stop: () => redis.kill(), restart: () => redis.start() });
  });
});
