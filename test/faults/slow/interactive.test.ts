/** Faults of the interactive lane that take long: a text that ends process after process, a Redis that stands still. */

import { describe, expect, it } from 'vitest';
import { type EmbedJson, postEmbed } from '../../support/lane.ts';
import { expectReported, startLaneProducer } from '../../support/lane-faults.ts';
import { startWorkerProcess } from '../../support/mill.ts';
import { testRedis } from '../../support/redis.ts';
import { redisProcess } from '../../support/redis-process.ts';

describe('a text that ends every worker', () => {
  it('fails alone; a call that travelled with it is answered', async () => {
    const redis = testRedis();
    const producer = await startLaneProducer(redis);
    const crew = Array.from({ length: 4 }, () => startWorkerProcess(redis));
    await Promise.all(crew);
    // Both in one request: they share a part, and a job.
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

describe('a Redis that stands still', () => {
  it('is reported within seconds, to calls that wait too; the lane works when it is back', async () => {
    const redis = await redisProcess();
    await expectReported(redis, { goes: () => redis.freeze(), comes: () => redis.thaw() });
  });
});
