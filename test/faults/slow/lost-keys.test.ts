/** Redis loses or damages keys of a run in work: the batches are sent again from the producer's disk. */

import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../../support/mill.ts';
import { type TestRedis, testRedis } from '../../support/redis.ts';

/** A sealed run of ten batches, none of them started. */
async function waitingRun() {
  const redis = testRedis();
  const producer = await startProducerProcess(redis, temporaryFolder());
  await producer.ready();
  const run = await producer.create();
  const rows = sentRows(100);
  await producer.send(run, 0, rows);
  await producer.seal(run);
  return { redis, producer, run, rows };
}

const payloadKey = ({ prefix }: TestRedis, run: string, batch: number) => `{${prefix}}:in:${run}:${batch}`;

it('missing payloads are sent again', async () => {
  const { redis, ...inWork } = await waitingRun();
  for (const batch of [0, 5, 9]) await redis.client.del(payloadKey(redis, inWork.run, batch));
  await startWorkerProcess(redis);
  await expectWhole(inWork, 120_000);
});

it('damaged payloads, in one bit or as a whole, are sent again, and the damage is logged', async () => {
  const { redis, ...inWork } = await waitingRun();
  const [bit, cut, other] = [1, 4, 8].map((batch) => payloadKey(redis, inWork.run, batch));
  const bytes = (await redis.client.getBuffer(bit!))!;
  // In the middle of a text, where damage would give the vector of another text.
  bytes[bytes.byteLength - 3]! ^= 1;
  await redis.client.set(bit!, bytes);
  await redis.client.set(cut!, (await redis.client.getBuffer(cut!))!.subarray(0, 40));
  await redis.client.set(other!, 'something else');
  const worker = await startWorkerProcess(redis);
  await expectWhole(inWork, 120_000);
  expect(worker.stderr.match(/payload is damaged/g)).toHaveLength(3);
});
