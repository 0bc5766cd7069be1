/** The health of real producers, in states that are produced on a real Redis, and the command that shows it. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Health, HealthProblem, ProblemCode } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkRedis } from '../../apps/cli/src/commands/doctor/redis.ts';
import { until } from '../support/api.ts';
import { cpuCgroup } from '../support/cpu-cgroup.ts';
import { embedmill, jsonLines, sentences, startEmbedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startWorkerProcess } from '../support/mill.ts';
import { testRedis } from '../support/redis.ts';
import { type RedisProcess, redisProcess } from '../support/redis-process.ts';
import { smallFolder } from '../support/small-folder.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

async function start(url: string, prefix = 'health', dataDir = temporaryFolder()): Promise<RunningProducer> {
  const config = readConfig({
    REDIS_URL: url,
    PORT: '0',
    EMBEDMILL_PREFIX: prefix,
    EMBEDMILL_DATA_DIR: dataDir,
  });
  const producer = await startProducer(config, { log });
  onTestFinished(() => producer.stop());
  return producer;
}

async function startedRedis(settings: readonly string[] = []): Promise<RedisProcess> {
  const redis = await redisProcess(settings);
  await redis.start();
  return redis;
}

const isReady = async ({ url }: RunningProducer) => (await fetch(`${url}/readyz`)).status === 200;

const healthOf = async ({ url }: RunningProducer): Promise<Health> =>
  (await (await fetch(`${url}/v1/health`)).json()) as Health;

/** Resolves with the problem of this kind, once its sentence matches. */
async function problemOf(
  producer: RunningProducer,
  code: ProblemCode,
  sentence = /./,
): Promise<HealthProblem> {
  let found: HealthProblem | undefined;
  await until(async () => {
    const { problems } = await healthOf(producer);
    found = problems.find((each) => each.code === code && sentence.test(each.sentence));
    return found !== undefined;
  });
  return found!;
}

describe('a Redis that cannot be used', () => {
  it('because nothing listens', async () => {
    const producer = await start('redis://127.0.0.1:1');
    expect(await problemOf(producer, 'redis')).toMatchObject({
      sentence: 'Redis is unreachable.',
      mayPass: true,
    });
  });

  it('because of a wrong password, at the start and during operation', async () => {
    const redis = await startedRedis();
    const open = await start(redis.url, 'open');
    await until(() => isReady(open));
    await redis.ask(async (client) => {
      await client.config('SET', 'requirepass', 'right');
      await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
    expect((await problemOf(open, 'redis', /requires a password/)).mayPass).toBe(false);
    const wrong = await start(redis.url.replace('://', '://:wrong@'));
    expect((await problemOf(wrong, 'redis', /^Redis refuses the password\.$/)).mayPass).toBe(false);
    const right = await start(redis.url.replace('://', '://:right@'), 'right');
    await until(() => isReady(right));
    expect((await healthOf(right)).problems.map(({ code }) => code)).toEqual(['no-worker']);
  });

  it('because it became a replica, until it is a primary again', async () => {
    const redis = await startedRedis();
    const producer = await start(redis.url);
    await problemOf(producer, 'no-worker');
    await redis.ask((client) => client.replicaof('127.0.0.1', 1));
    await problemOf(producer, 'redis', /^Redis is a read-only replica\.$/);
    expect((await fetch(`${producer.url}/readyz`)).status).toBe(503);
    await redis.ask((client) => client.replicaof('no', 'one'));
    await until(() => isReady(producer));
  });

  it('because its user may not run scripts', async () => {
    const redis = await startedRedis();
    await redis.ask((client) =>
      client.acl('SETUSER', 'mill', 'on', '>secret', '~*', '&*', '+@all', '-eval', '-evalsha'),
    );
    const producer = await start(redis.url.replace('://', '://mill:secret@'));
    expect((await problemOf(producer, 'redis', /^The Redis user lacks a permission\.$/)).mayPass).toBe(false);
  });

  it('because it evicts keys', async () => {
    const redis = await startedRedis(['--maxmemory', '200mb', '--maxmemory-policy', 'allkeys-lru']);
    const producer = await start(redis.url);
    expect((await problemOf(producer, 'redis-policy')).remedy).toContain('noeviction');
  });
});

/** Starts a run of short sentences; returns its id. */
async function startRun({ url }: RunningProducer, rows: number, options: object = {}): Promise<string> {
  const created = await fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(options),
  });
  const { id } = (await created.json()) as { id: string };
  await fetch(`${url}/v1/runs/${id}/rows?part=0`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: jsonLines(sentences(rows)),
  });
  return id;
}

describe('a run', () => {
  it('that waits for a worker with its model is named', async () => {
    const { url, prefix } = testRedis();
    const producer = await start(url, prefix);
    await until(() => isReady(producer));
    const id = await startRun(producer, 30, { model: 'another' });
    await startWorkerProcess({ url, prefix });
    const waiting = `Run ${id} stands still: it waits for a worker with the model "another"`;
    // The problem exists before the worker connects.
    await expect
      .poll(async () => (await problemOf(producer, 'no-model')).sentence)
      .toContain(`${waiting}; connected workers`);
    expect((await problemOf(producer, 'no-model')).run).toBe(id);
  });

  it('that needs more space than its disk has is reported before the disk is full', async ({ skip }) => {
    const dataDir = smallFolder(8);
    if (dataDir === null) return skip('this user may not mount a disk');
    const { url, prefix } = testRedis();
    const producer = await start(url, prefix, dataDir);
    await until(() => isReady(producer));
    await startRun(producer, 20_000);
    const { sentence } = await problemOf(producer, 'disk-space');
    expect(sentence).toMatch(
      /^The disk of the data folder has \d\.\d MB free, and the active runs need about 30\.7 MB more\.$/,
    );
  });
});

describe('a worker whose threads are stopped by its CPU quota', () => {
  it('is named, with its threads and its quota', async ({ skip }) => {
    const join = cpuCgroup(0.1);
    if (join === null) return skip('this user may not create a control group');
    const { url, prefix } = testRedis();
    const producer = await start(url, prefix);
    const worker = await startWorkerProcess({ url, prefix });
    onTestFinished(async () => {
      worker.kill('SIGKILL');
      await worker.exited;
    });
    join(worker.pid);
    await until(() => isReady(producer));
    await startRun(producer, 40_000);
    const problem = await problemOf(producer, 'throttled');
    expect(problem.sentence).toMatch(
      /^The CPU quota stops the threads of worker .+ for \d+ % of the time \(1 thread, 0\.1 cores\)\.$/,
    );
    expect((await healthOf(producer)).state).toBe('degraded');
  });
});

describe('embedmill doctor', () => {
  it('says the same of a Redis that cannot be used', async () => {
    const redis = await startedRedis();
    const check = (redisUrl = redis.url) =>
      checkRedis({ redisUrl, cacheDir: temporaryFolder(), prefix: 'health' });
    expect((await check()).health).toBe('good');
    expect((await check('redis://127.0.0.1:1')).message).toBe(
      'redis://127.0.0.1:1: Redis is unreachable. It ends when Redis is reachable at the address in REDIS_URL; nothing is lost.',
    );
    const withPassword = redis.url.replace('://', '://:wrong@');
    await redis.ask((client) => client.acl('SETUSER', 'mill', 'on', '>secret', '~*', '&*', '+@all', '-eval'));
    expect((await check(redis.url.replace('://', '://mill:secret@'))).message).toMatch(
      /^redis:\/\/127\.0\.0\.1:\d+: the Redis user lacks a permission\. Permit the Redis user/,
    );
    await redis.ask((client) => client.config('SET', 'requirepass', 'right'));
    expect((await check()).message).toMatch(/: Redis requires a password\. Set the password in REDIS_URL/);
    expect((await check(withPassword)).message).toMatch(/: Redis refuses the password\. Correct/);
  });

  it('says that it is a replica', async () => {
    const redis = await startedRedis();
    await redis.ask((client) => client.replicaof('127.0.0.1', 1));
    const finding = await checkRedis({ redisUrl: redis.url, cacheDir: temporaryFolder(), prefix: 'health' });
    expect(finding).toMatchObject({
      health: 'broken',
      message: expect.stringMatching(/: Redis is a read-only replica\. Set REDIS_URL to the primary/),
    });
  });
});

describe('embedmill status', () => {
  it('shows a producer without workers, with its runs, and ends with 1', async () => {
    const { url, prefix } = testRedis();
    const producer = await start(url, prefix);
    await until(() => isReady(producer));
    const id = await startRun(producer, 30);
    await problemOf(producer, 'no-worker', /30 rows wait/);
    const { code, stdout } = await embedmill(['status', '--server', producer.url]);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      `degraded  ${producer.url}`,
      '',
      'critical: 30 rows wait and no worker is connected.',
      '  Start a worker with the same REDIS_URL ("embedmill worker"); the runs continue without help.',
      '',
      'workers  0 connected, 1 wanted for the backlog',
      'backlog  30 rows',
      'speed    0 rows/s, 0 tokens/s',
      expect.stringMatching(/^data {5}[\d.]+ k?B in runs, .+ free$/),
      '',
      expect.stringMatching(/^RUN +STATE {2}DONE {2}OF {2}ROWS\/S {2}ETA {2}WAITS FOR$/),
      expect.stringMatching(new RegExp(`^${id} +open +0 +30 +0 +it waits for a worker`)),
      '',
    ]);
  });

  it('shows a producer that works, and ends with 0', async () => {
    const redis = testRedis();
    const producer = await start(redis.url, redis.prefix);
    await startWorkerProcess(redis);
    await until(async () => (await healthOf(producer)).state === 'ok');
    const { code, stdout } = await embedmill(['status', '--json', '--server', producer.url]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      server: producer.url,
      health: { state: 'ok', problems: [] },
      runs: [],
    });
  });

  it('says that no producer answers', async () => {
    const { code, stdout } = await embedmill(['status', '--server', 'http://127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/critical: The producer at http:\/\/127\.0\.0\.1:1 does not answer/);
    expect(stdout).toContain('embedmill up');
  });

  it('says that a server answers which does not report its health', async () => {
    const server = createServer((_, res) => res.writeHead(404).end('no such path'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await embedmill(['status', '--server', `http://127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/does not report its health: .*\(status 404\)/);
    expect(stdout).not.toContain('embedmill up');
  });
});

// Each is announced after 15 s without progress, so that both wait at the same time.
describe('a command that waits', () => {
  const endsIfTimeDoesNotHelp = async () => {
    const redis = await startedRedis();
    const producer = await start(redis.url);
    await until(() => isReady(producer));
    const input = join(temporaryFolder(), 'in.jsonl');
    writeFileSync(input, jsonLines(sentences(20)));
    const args = ['embed', input, '--to', `${input}.npy`, '--server', producer.url, '--quiet'];
    const call = startEmbedmill(args);
    await call.waitFor(/Waiting: 20 rows wait and no worker is connected\. Start a worker/);
    // Commands of other users are no longer permitted, as after a change of the ACL.
    await redis.ask((client) => client.acl('SETUSER', 'default', '-eval', '-evalsha'));
    expect(await call.waitForExit()).toMatchObject({ code: 1 });
    expect(call.stderr).toContain('The Redis user lacks a permission. Permit the Redis user');
  };

  const saysThatTheProducerIsGone = async () => {
    const { url, prefix } = testRedis();
    const producer = await start(url, prefix);
    await until(() => isReady(producer));
    const input = join(temporaryFolder(), 'in.jsonl');
    writeFileSync(input, jsonLines(sentences(20)));
    const call = startEmbedmill([
      'embed',
      input,
      '--to',
      `${input}.npy`,
      '--server',
      producer.url,
      '--quiet',
    ]);
    await until(async () => /20 rows wait/.test((await healthOf(producer)).sentence));
    await producer.stop();
    await call.waitFor(
      /Waiting: The producer at http:\S+ does not answer: .*\. The run continues when this producer is back/,
    );
    call.kill('SIGINT');
    await call.waitForExit();
  };

  it('says why, also that its producer is gone, and ends if time does not help', () =>
    Promise.all([endsIfTimeDoesNotHelp(), saysThatTheProducerIsGone()]));
});
