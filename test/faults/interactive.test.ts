/** Workers and Redis fail during interactive calls: another worker answers, or the call fails in seconds. */

import { describe, expect, it } from 'vitest';
import { postEmbed } from '../support/lane.ts';
import { expectAnswer, expectReported, held, startLaneProducer } from '../support/lane-faults.ts';
import { startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';
import { redisProcess } from '../support/redis-process.ts';

const SECOND = 1000;

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

describe('a Redis that is killed', () => {
  it('is reported within seconds, also to waiting calls; the lane works when Redis is back', async () => {
    const redis = await redisProcess();
    await expectReported(redis, { stop: () => redis.kill(), restart: () => redis.start() });
  });
});
