/** Producer and worker end within `shutdownMs` and 3 s after a signal, whatever Redis does. */

import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { freePort, redisProcess } from '../support/redis-process.ts';

const SHUTDOWN_MS = 1000;
const env = { EMBEDMILL_SHUTDOWN_MS: String(SHUTDOWN_MS) };

/** Starts both at a Redis with this URL. */
async function startBoth(url: string) {
  const place = { url, prefix: 'stops' };
  const producer = await startProducerProcess(place, temporaryFolder(), env);
  const worker = await startWorkerProcess(place, { ...env, HASH_ENGINE_TEXT_MS: '20' });
  return { producer, worker };
}

async function expectToEnd(
  { producer, worker }: Awaited<ReturnType<typeof startBoth>>,
  signal: NodeJS.Signals,
) {
  for (const one of [producer.process, worker]) one.kill(signal);
  const exits = await Promise.all(
    [producer.process, worker].map((one) => one.waitForExit(SHUTDOWN_MS + 3000)),
  );
  // In an orderly way: neither by the signal nor by the time limit for processes that do not stop, whose code is 1.
  for (const exit of exits) expect(exit).toEqual({ code: 0, signal: null });
}

// All signals have one handler, so that each state of Redis is tested with one of them.
describe('producer and worker', () => {
  it('end on SIGTERM while Redis was never there', async () => {
    await expectToEnd(await startBoth(`redis://127.0.0.1:${await freePort()}`), 'SIGTERM');
  });

  it.each<[NodeJS.Signals, string, 'kill' | 'freeze' | 'keep']>([
    ['SIGTERM', 'refuses connections', 'kill'],
    ['SIGTERM', 'hangs', 'freeze'],
    ['SIGTERM', 'works', 'keep'],
    ['SIGINT', 'works', 'keep'],
    ['SIGHUP', 'works', 'keep'],
  ])('end on %s in the middle of a run, while Redis %s', async (signal, _, what) => {
    const redis = await redisProcess();
    await redis.start();
    const both = await startBoth(redis.url);
    const { producer } = both;
    await producer.ready();
    const run = await producer.create();
    expect((await producer.send(run, 0, sentRows(2000))).status).toBe(201);
    await expect.poll(async () => (await producer.info(run)).rows.done).toBeGreaterThan(0);
    if (what === 'kill') await redis.kill();
    if (what === 'freeze') redis.freeze();
    await expectToEnd(both, signal);
  });
});
