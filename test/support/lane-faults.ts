/** Helpers of the interactive lane's fault tests: processes with the hash engine, and expectations. */

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { until } from './api.ts';
import { temporaryFolder } from './folder.ts';
import { type EmbedJson, postEmbed } from './lane.ts';
import { type MillPlace, type ProducerProcess, startProducerProcess, startWorkerProcess } from './mill.ts';
import type { RedisProcess } from './redis-process.ts';

const SECOND = 1000;

/** Starts a producer process; it accepts calls when this resolves. */
export async function startLaneProducer(place: MillPlace): Promise<ProducerProcess> {
  const producer = await startProducerProcess(place, temporaryFolder());
  await producer.ready();
  return producer;
}

/** Expects an answer with the vector of each text. */
export async function expectAnswer(response: Response | null, texts: readonly string[]): Promise<void> {
  if (response === null) throw new Error('the connection to the producer broke');
  expect(response.status).toBe(200);
  const { vectors } = (await response.json()) as EmbedJson;
  const firsts = vectors.map((vector) => Math.fround((vector as number[])[0]!));
  expect(firsts).toEqual(texts.map(firstOf));
}

const firstOf = (text: string) => Math.fround(createHash('sha256').update(text).digest()[0]! / 255);

/** Waits until workers hold this number of messages of the lane. */
export const held = (producer: ProducerProcess, messages: number) =>
  until(async () => {
    const page = await (await producer.call('GET', '/metrics')).text();
    return page.includes(`embedmill_queue_batches{lane="interactive",state="active"} ${messages}\n`);
  }, 30 * SECOND);

/** Sends calls with one text each, the next one when the producer has admitted the last, so that none share a message. */
export async function sendOneByOne(
  producer: ProducerProcess,
  texts: readonly string[],
): Promise<Promise<Response | null>[]> {
  const calls: Promise<Response | null>[] = [];
  const admitted = async () => {
    const page = await (await producer.call('GET', '/metrics')).text();
    return Number(/^embedmill_interactive_texts_in_flight (\d+)$/m.exec(page)?.[1]);
  };
  for (const text of texts) {
    calls.push(postEmbed(producer.url, { text }).catch(() => null));
    await until(async () => (await admitted()) >= calls.length);
  }
  return calls;
}

/** Starts a producer and a worker on this Redis; Redis is stopped while a call waits, and restarted. */
export async function expectReported(
  redis: RedisProcess,
  { stop, restart }: { stop: () => Promise<void> | void; restart: () => Promise<void> | void },
): Promise<void> {
  await redis.start();
  const place = { url: redis.url, prefix: 'faults' };
  const producer = await startLaneProducer(place);
  await startWorkerProcess(place);
  await expectAnswer(await postEmbed(producer.url, { text: 'before' }), ['before']);
  const waiting = postEmbed(producer.url, { text: 'sleep-5000' });
  await held(producer, 1);
  await stop();
  const startedAt = performance.now();
  const refused = await Promise.all([waiting, postEmbed(producer.url, { text: 'during' })]);
  for (const response of refused) {
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'redis-unavailable' });
  }
  expect(performance.now() - startedAt).toBeLessThan(20 * SECOND);
  await restart();
  const isAnswered = async () => (await postEmbed(producer.url, { text: 'after' })).status === 200;
  await until(isAnswered);
}
