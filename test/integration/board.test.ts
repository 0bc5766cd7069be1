/** The board at /admin/queues on a real producer: who may read and change it. */

import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';

const READER = 'the-key-of-the-reader';
const ADMIN = 'the-key-of-the-operator';
const KEYS = `grafana:read:${READER},ops:admin:${ADMIN}`;

async function start(
  { url, prefix }: Pick<TestRedis, 'url' | 'prefix'>,
  keys?: string,
): Promise<RunningProducer> {
  const config = readConfig({
    REDIS_URL: url,
    PORT: '0',
    EMBEDMILL_PREFIX: prefix,
    EMBEDMILL_DATA_DIR: temporaryFolder(),
    EMBEDMILL_API_KEYS: keys,
  });
  const producer = await startProducer(config, { log: createLogger({ logLevel: 'silent' }, 'test') });
  onTestFinished(() => producer.stop());
  const board = boardOf(producer);
  await until(async () => (await board('/api/queues', keys && ADMIN)).ok);
  return producer;
}

const boardOf =
  ({ url }: RunningProducer) =>
  (path: string, key?: string, method = 'GET') =>
    fetch(`${url}/admin/queues${path}`, {
      method,
      headers: key === undefined ? {} : { authorization: `Basic ${btoa(`me:${key}`)}` },
    });

/** The fields that the tests read. */
interface Shown {
  queues: { name: string; readOnlyMode: boolean; isPaused: boolean; jobs: { data: unknown }[] }[];
}

describe('the board', () => {
  it('makes a browser prompt for the key, then shows the queue to every role', async () => {
    const redis = testRedis();
    const board = boardOf(await start(redis, KEYS));
    const refused = await board('');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="embedmill"',
    ]);
    const shown = (await (await board('/api/queues', READER)).json()) as Shown;
    expect(shown.queues.map(({ name, readOnlyMode }) => [name, readOnlyMode])).toEqual([['bulk', true]]);
  });

  it('can be changed by admins only', async () => {
    const board = boardOf(await start(testRedis(), KEYS));
    const isPaused = async () =>
      ((await (await board('/api/queues', ADMIN)).json()) as Shown).queues.map((queue) => queue.isPaused);
    expect((await board('/api/queues/bulk/pause', READER, 'PUT')).status).toBe(403);
    expect(await isPaused()).toEqual([false]);
    expect((await board('/api/queues/bulk/pause', ADMIN, 'PUT')).status).toBe(200);
    expect(await isPaused()).toEqual([true]);
    expect((await board('/api/queues/bulk/resume', ADMIN, 'PUT')).status).toBe(200);
  });

  it('is read-only without API keys', async () => {
    const board = boardOf(await start(testRedis()));
    const shown = (await (await board('/api/queues')).json()) as Shown;
    expect(shown.queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    for (const [method, path] of [
      ['PUT', '/api/queues/bulk/pause'],
      ['PUT', '/api/queues/pause'],
      ['POST', '/api/queues/bulk/add'],
    ] as const) {
      expect((await board(path, undefined, method)).status).toBe(403);
    }
  });

  it('loads all its files from the producer', async () => {
    const board = boardOf(await start(testRedis()));
    const page = await board('/');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
    expect(page.headers.get('x-powered-by')).toBeNull();
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, file]) => file!);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect([file, (await board(`/${file}`)).status]).toEqual([file, 200]);
  });
});
