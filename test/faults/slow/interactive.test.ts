/** Slow faults of the interactive lane: a text that crashes process after process, kills under load, a frozen Redis. */

import { keysOf } from '@embedmill/core/redis';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/api.ts';
import { startCalls } from '../../support/call-checker.ts';
import { type EmbedJson, postEmbed } from '../../support/lane.ts';
import { expectReported, startLaneProducer } from '../../support/lane-faults.ts';
import { startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';
import { redisProcess } from '../../support/redis-process.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SECOND = 1000;
const MODEL = 'all-MiniLM-L6-v2';

describe('a text that crashes every worker', () => {
  it('fails alone; the other texts of its message are answered', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const crew = Array.from({ length: 4 }, () => startWorkerProcess(redis));
    await Promise.all(crew);
    // In one request, so that they share a part and a message.
    const texts = ['beside it', 'kill-the-process!', 'behind it'];
    const response = await postEmbed(
      producer.url,
      { texts },
      { headers: { 'request-timeout-ms': '120000' } },
    );
    expect(response.status).toBe(200);
    const { outcomes } = (await response.json()) as EmbedJson;
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'failed', 'ok']);
    expect(outcomes[1]?.message).toContain('every worker');
  });
});

describe('producers and workers that are killed under load', () => {
  it('give no caller a vector of another text, and every call ends', async () => {
    const redis = testRedis();
    const producers = [await startLaneProducer(redis), await startLaneProducer(redis)];
    const workers = [await startWorkerProcess(redis), await startWorkerProcess(redis)];
    let turn = 0;
    const url = () => producers[turn++ % 2]!.url;
    const stop = startCalls({ url, callers: 12, random: seededRandom(7), timeoutMs: 20 * SECOND });
    for (let kill = 0; kill < 3; kill++) {
      workers[kill % 2]!.kill('SIGKILL');
      workers[kill % 2] = await startWorkerProcess(redis);
    }
    producers[0]!.process.kill('SIGKILL');
    producers[0] = await startLaneProducer(redis);
    const { answered, faults, longestMs } = await stop();
    expect(faults).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    expect(longestMs).toBeLessThan(22 * SECOND);
    const { client, prefix } = redis;
    await until(async () => (await client.exists(keysOf(prefix).calls(MODEL))) === 0);
  });
});

describe('a frozen Redis', () => {
  it('is reported within seconds, also to waiting calls; the lane works when Redis is back', async () => {
    const redis = await redisProcess();
    await expectReported(redis, { stop: () => redis.freeze(), restart: () => redis.thaw() });
  });
});
