/** One bad run, or one unreadable entry of the ready stream, stops nobody else. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf } from '@embedmill/core/redis';
import { expect, it } from 'vitest';
import { startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { testRedis } from '../support/redis.ts';

const TEXTS = Array.from({ length: 40 }, (_, i) => `text ${i}`);

it('a run without its folder is set aside with the reason, and refuses rows, while another one completes', async () => {
  const redis = testRedis();
  const dataDir = temporaryFolder();
  const { submit, credits } = await startCollecting(redis, dataDir);
  const bad = await submit(TEXTS);
  const good = await submit(TEXTS);
  rmSync(join(dataDir, 'runs', bad.id), { recursive: true });
  await startHashWorker(redis);
  await whenEnded(good);
  expect(good.state).toBe('completed');
  await expect.poll(() => bad.info().error).toMatch(/a (file|folder) of the run is missing/);
  await expect(
    bad.addPart({ part: 1, rows: (async function* () {})(), sha256: () => 'sha' }),
  ).rejects.toThrow(/is set aside/);
  await expect.poll(() => credits.usedBytes).toBe(0);
});

it('unreadable entries of the ready stream are removed and reported; the others are collected', async () => {
  const redis = testRedis();
  const unreadable: string[] = [];
  const { submit } = await startCollecting(redis, temporaryFolder(), {
    onUnreadable: (_, content) => unreadable.push(content),
  });
  const ready = keysOf(redis.prefix).ready('home');
  await redis.client.xadd(ready, '*', 'run', 'r1', 'batch', '0', 'summary', '{"rows":');
  await redis.client.xadd(ready, '*', 'run', 'r1', 'batch', '-1', 'summary', 'null');
  await redis.client.xadd(ready, '*', 'something', 'else');
  await redis.client.xadd(ready, '*', 'run', 'r1', 'batch', '0', 'summary', '{}');
  const run = await submit(TEXTS);
  await startHashWorker(redis);
  await whenEnded(run);
  expect(run.state).toBe('completed');
  expect(unreadable).toHaveLength(4);
  await expect.poll(() => redis.client.xlen(ready)).toBe(0);
});
