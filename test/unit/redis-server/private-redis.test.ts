import { once } from 'node:events';
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { EmbedmillError } from '@embedmill/contract';
import { resolveRedis } from '@embedmill/core/process';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { isRunning, waitUntilGone } from '../../support/process.ts';
import { cacheDir } from '../../support/redis.ts';
import { onRedis, processColumn, startInChild, startPrivate } from './start.ts';

const TAKEN = { code: 'redis-folder-in-use', retryable: true };

describe('a private Redis', () => {
  test('writes an append-only file, evicts no keys and takes no snapshots', async () => {
    const { url } = await startPrivate(temporaryFolder(), { maxMemoryBytes: 64 * 1024 * 1024 });
    const settings = (await onRedis(url, (client) =>
      client.config('GET', 'append*', 'save', 'maxmemory*', 'bind', 'port'),
    )) as string[];
    expect(settings).toEqual(expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'everysec']));
    const setting = (name: string) => settings[settings.indexOf(name) + 1];
    expect(setting('save')).toBe('');
    expect(setting('maxmemory')).toBe(String(64 * 1024 * 1024));
    expect(setting('maxmemory-policy')).toBe('noeviction');
    expect(setting('bind')).toBe('127.0.0.1');
    expect(setting('port')).not.toBe('6379');
  });

  test('requires its password and hides the password from other users', async () => {
    const folder = temporaryFolder();
    const { url } = await startPrivate(folder);
    const { port } = new URL(url);
    const stranger = onRedis(`redis://127.0.0.1:${port}`, (client) => client.ping());
    await expect(stranger).rejects.toThrow('NOAUTH');
    expect(statSync(join(folder, 'redis')).mode & 0o077).toBe(0);
  });

  test('keeps its data across restarts', async () => {
    const folder = temporaryFolder();
    const first = await resolveRedis({ dataDir: folder, cacheDir });
    await onRedis(first.url, (client) => client.set('kettle', 'boils'));
    await first.stop();
    expect(await first.exited).toEqual({ asked: true, status: 0 });

    const second = await startPrivate(folder);
    expect(await onRedis(second.url, (client) => client.get('kettle'))).toBe('boils');
  });

  test('ends when its parent is killed, and the next start has its data', async () => {
    const folder = temporaryFolder();
    const { parent, url, pid } = await startInChild(folder);
    await onRedis(url, (client) => client.set('boots', 'dry'));
    parent.kill('SIGKILL');
    await waitUntilGone(pid);

    const next = await startPrivate(folder);
    expect(await onRedis(next.url, (client) => client.get('boots'))).toBe('dry');
  });

  test('delays the next start while it is ending, so that two servers never write the same file', async () => {
    const folder = temporaryFolder();
    const { parent, url, pid } = await startInChild(folder);
    await onRedis(url, (client) => client.set('lamp', 'flickers'));
    process.kill(pid, 'SIGSTOP');
    parent.kill('SIGKILL');
    await parent.exited;
    const next = startPrivate(folder);
    setTimeout(() => process.kill(pid, 'SIGCONT'), 300);
    const { url: nextUrl } = await next;
    expect(isRunning(pid)).toBe(false);
    expect(await onRedis(nextUrl, (client) => client.get('lamp'))).toBe('flickers');
  });

  test('rejects a folder of a running server and names its process', async () => {
    const folder = temporaryFolder();
    const { parent, url } = await startInChild(folder);
    const second = resolveRedis({ dataDir: folder, cacheDir });
    await expect(second).rejects.toMatchObject(TAKEN);
    await expect(second).rejects.toThrow(`process ${parent.pid}`);
    expect(await onRedis(url, (client) => client.ping())).toBe('PONG');
  });

  test('starts once when two processes start in the same folder', async () => {
    const folder = temporaryFolder();
    const starts = await Promise.allSettled([startPrivate(folder), startPrivate(folder)]);
    const failures = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : []));
    expect(failures).toMatchObject([TAKEN]);
    expect(failures[0]).toBeInstanceOf(EmbedmillError);
  });

  test('takes a folder of a dead owner, even if other programs have its port and process id', async () => {
    const folder = temporaryFolder();
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await once(stranger.listen(0, '127.0.0.1'), 'listening');
    const address = stranger.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    mkdirSync(join(folder, 'redis'));
    const ownerFile = join(folder, 'redis', 'owner.json');
    writeFileSync(ownerFile, JSON.stringify({ starterPid: process.pid, port, password: 'old' }));
    utimesSync(ownerFile, new Date('2024-01-01'), new Date('2024-01-01'));

    const { url } = await startPrivate(folder);
    expect(await onRedis(url, (client) => client.ping())).toBe('PONG');
    stranger.close();
  });

  test('reports its death and can be started again in the same folder', async () => {
    const folder = temporaryFolder();
    const first = await startPrivate(folder);
    await onRedis(first.url, (client) => client.set('towel', 'blue'));
    process.kill(first.pid ?? 0, 'SIGKILL');
    expect(await first.exited).toEqual({ asked: false, status: 128 + 9 });

    const second = await startPrivate(folder);
    expect(await onRedis(second.url, (client) => client.get('towel'))).toBe('blue');
  });

  test('ends when only its guardian is killed', async () => {
    const { pid = 0, exited } = await startPrivate(temporaryFolder());
    process.kill(Number(processColumn(pid, 'ppid')), 'SIGKILL');
    await exited;
    expect(isRunning(pid)).toBe(false);
  });

  test('is outside the process group that receives Ctrl-C from the terminal', async () => {
    const { parent, pid } = await startInChild(temporaryFolder());
    expect(processColumn(pid, 'pgid')).not.toBe(processColumn(parent.pid, 'pgid'));
  });

  test('is killed when it does not end in time', async () => {
    const { pid = 0, stop, exited } = await startPrivate(temporaryFolder());
    process.kill(pid, 'SIGSTOP');
    await stop();
    expect(await exited).toEqual({ asked: true, status: 128 + 9 });
    expect(isRunning(pid)).toBe(false);
  });

  test('quotes its log if it fails to start', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'redis', 'appendonlydir'), { recursive: true });
    writeFileSync(join(folder, 'redis', 'appendonlydir', 'appendonly.aof.manifest'), 'no manifest\n');
    const start = resolveRedis({ dataDir: folder, cacheDir });
    await expect(start).rejects.toMatchObject({ code: 'redis-start-failed' });
    await expect(start).rejects.toThrow(/manifest/i);
  });
});

test('A given Redis server is used unchanged and survives stop()', async () => {
  const { url } = await startPrivate(temporaryFolder());
  const given = await resolveRedis({ url, dataDir: '/nonexistent', cacheDir: '/nonexistent' });
  expect(given).toMatchObject({ url, origin: 'given', pid: undefined });
  await given.stop();
  expect(await onRedis(url, (client) => client.ping())).toBe('PONG');
});
