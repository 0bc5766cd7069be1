/** Slow faults of the interactive lane: a text that crashes process after process, a frozen Redis. */

import { describe, expect, it } from 'vitest';
import { type EmbedJson, postEmbed } from '../../support/lane.ts';
import { expectReported, startLaneProducer } from '../../support/lane-faults.ts';
import { startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';
import { redisProcess } from '../../support/redis-process.ts';

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

describe('a frozen Redis', () => {
  it('is reported within seconds, also to waiting calls; the lane works when Redis is back', async () => {
    const redis = await redisProcess();
    await expectReported(redis, { stop: () => redis.freeze(), restart: () => redis.thaw() });
  });
});
