/** Who may write to a data folder: producers that do not share a lease, and one that loses its folder. */

import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { expectWhole, sentRows, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { startNode } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';

const CLI = join(import.meta.dirname, '../../apps/cli/dist/main.js');

describe('a data folder', () => {
  it('is refused to a producer with another prefix, which ends and names the owner; no row is lost', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const rows = sentRows(200);
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const run = await first.create();
    const second = await startProducerProcess({ url: redis.url, prefix: `${redis.prefix}-other` }, dataDir);
    const [line] = await second.process.waitFor(/.*producer cannot continue.*/);
    expect(line).toContain(`in use by process ${first.process.pid} on`);
    expect(await second.process.waitForExit()).toEqual({ code: 1, signal: null });
    expect((await first.send(run, 0, rows)).status).toBe(201);
    await startWorkerProcess(redis);
    await first.seal(run);
    await expectWhole({ producer: first, run, rows });
  });

  it('is refused to `embedmill up`, which touches nothing and names the owner', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const first = await startProducerProcess(redis, dataDir);
    await first.ready();
    const before = readdirSync(dataDir).sort();
    const up = startNode([CLI, 'up'], { env: { EMBEDMILL_DATA_DIR: dataDir, PORT: '0', REDIS_URL: '' } });
    expect(await up.waitForExit()).toEqual({ code: 1, signal: null });
    await up.waitFor(new RegExp(`in use by process ${first.process.pid} on`));
    expect(readdirSync(dataDir).sort()).toEqual(before);
    expect((await first.call('GET', '/readyz')).status).toBe(200);
  });

  it('that another producer took over ends its producer without a further write', async () => {
    const redis = testRedis();
    const dataDir = temporaryFolder();
    const producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const run = await producer.create();
    writeFileSync(join(dataDir, 'owner-2.json'), '{}');
    const answer = await producer.send(run, 0, sentRows(20)).then(
      (response) => response.status,
      () => 'disconnected',
    );
    expect([503, 'disconnected']).toContain(answer);
    expect(await producer.process.waitForExit()).toEqual({ code: 1, signal: null });
  });

  it('that another producer took over ends `embedmill up`, which names the reason instead of restarting its producer', async () => {
    const { url, prefix } = testRedis();
    const dataDir = temporaryFolder();
    const up = startNode([CLI, 'up'], {
      env: { REDIS_URL: url, EMBEDMILL_PREFIX: prefix, EMBEDMILL_DATA_DIR: dataDir, PORT: '0' },
    });
    const [, readyUrl = ''] = await up.waitFor(/Ready +(\S+)/);
    await until(async () => (await fetch(readyUrl)).ok);
    writeFileSync(join(dataDir, 'owner-2.json'), '{}');
    expect(await up.waitForExit()).toEqual({ code: 1, signal: null });
    expect(up.stderr).toContain('the producer cannot continue: this producer no longer owns its data folder');
    expect(up.stderr).not.toContain('restarting');
  });

  it('that vanished ends its producer, which accepts nothing into nowhere', async () => {
    const redis = testRedis();
    const dataDir = join(temporaryFolder(), 'data');
    const producer = await startProducerProcess(redis, dataDir);
    await producer.ready();
    const run = await producer.create();
    renameSync(dataDir, `${dataDir}-elsewhere`);
    const answer = await producer.send(run, 0, sentRows(20)).then(
      (response) => response.status,
      () => 'disconnected',
    );
    expect([503, 'disconnected']).toContain(answer);
    await producer.process.waitFor(/no longer owns its data folder/);
    expect(await producer.process.waitForExit()).toEqual({ code: 1, signal: null });
  });
});
