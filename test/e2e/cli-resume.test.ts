/** `embedmill embed`, interrupted in several ways and repeated. */

import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RunInfo } from '@embedmill/contract';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  embedmill,
  jsonLines,
  readLines,
  readMatrix,
  sentences,
  startEmbedmill,
  startSharedEmbedmill,
} from '../support/embedmill.ts';
import { temporaryFolder, visibleNames } from '../support/folder.ts';
import { startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import { isRunning, type TestProcess, waitUntilGone } from '../support/process.ts';
import { testRedis } from '../support/redis.ts';

const ROWS = 300;
const INTERRUPT_AT = 40;
const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const input = join(shared, 'in.jsonl');
const lines = jsonLines(sentences(ROWS));
let expected: Buffer;

/** Small batches and one thread, so that there is a middle to interrupt. */
const manner = ['--batch-rows', '10', '--threads', '1'];
/** The producer's log says where it listens. */
const env = { EMBEDMILL_LOG_LEVEL: 'info' };

beforeAll(async () => {
  writeFileSync(input, lines);
  const uninterrupted = startSharedEmbedmill(
    ['embed', input, '--to', join(shared, 'out.npy'), '--quiet'],
    {},
  );
  expect(await uninterrupted.waitForExit()).toMatchObject({ code: 0 });
  expected = readFileSync(join(shared, 'out.npy'));
});

afterAll(() => rmSync(shared, { recursive: true, force: true }));

/** Resolves when a call that works on `output` has embedded `rows` rows. */
async function whenRowsAreDone(output: string, rows = INTERRUPT_AT): Promise<void> {
  const log = `${output}.partial/producer.log`;
  const done = async (): Promise<number> => {
    const up = existsSync(log)
      ? [...readFileSync(log, 'utf8').matchAll(/.*producer is up.*/g)].at(-1)
      : undefined;
    if (up === undefined) return 0;
    const answer = await fetch(`${JSON.parse(up[0]).url}/v1/runs`).catch(() => null);
    if (answer?.status !== 200) return 0;
    const { runs } = (await answer.json()) as { runs: RunInfo[] };
    return runs[0]?.rows.done ?? 0;
  };
  await expect.poll(done, { interval: 20 }).toBeGreaterThanOrEqual(rows);
}

/** Ids of the processes that a call started: producer and worker. */
function childrenOf(output: string): number[] {
  const { children } = JSON.parse(readFileSync(`${output}.partial/lock.json`, 'utf8'));
  return children.map(({ pid }: { pid: number }) => pid);
}

/** URL of a proxy that passes all requests on to a server and loses the answers to some of them. */
async function startProxy(target: string, loses: (request: IncomingMessage) => boolean): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url!, target), { method, headers }, (answer) => {
      if (loses(incoming)) return;
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Starts the call and resolves in the middle of it. */
async function startToMiddle(output: string, ...more: string[]): Promise<TestProcess> {
  const call = startEmbedmill(['embed', input, '--to', output, ...manner, ...more], { env });
  await whenRowsAreDone(output);
  return call;
}

describe('the same command', () => {
  test('resumes after Ctrl-C, with the same bytes as without it; other commands for its output are rejected', async () => {
    const output = join(temporaryFolder(), 'out.npy');
    const call = await startToMiddle(output);
    const children = childrenOf(output);
    // It must not be finished before the other one has begun.
    for (const pid of children) process.kill(pid, 'SIGSTOP');
    const second = await embedmill(['embed', input, '--to', output]);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining(`process ${call.pid}`) });
    for (const pid of children) process.kill(pid, 'SIGCONT');
    call.kill('SIGINT');
    expect(await call.waitForExit()).toEqual({ code: 130, signal: null });
    expect(call.stderr).toContain('Run the same command again to resume.');
    expect(children.filter(isRunning)).toEqual([]);
    expect(existsSync(output)).toBe(false);

    const few = join(temporaryFolder(), 'few.jsonl');
    writeFileSync(few, jsonLines(sentences(3)));
    const otherInput = await embedmill(['embed', few, '--to', output]);
    expect(otherInput).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the input had \d+ bytes.*--overwrite/s),
    });
    const otherOptions = await embedmill(['embed', input, '--to', output, '--truncate', 'start']);
    expect(otherOptions).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--truncate was end, now it is start'),
    });

    const { code, stdout, stderr } = await embedmill(['embed', input, '--to', output, ...manner, '--json']);
    expect(code).toBe(0);
    expect(Number(/Resuming \w+: (\d+) of/.exec(stderr)?.[1])).toBeGreaterThanOrEqual(INTERRUPT_AT);
    expect(JSON.parse(stdout)).toMatchObject({ rows: ROWS, resumed: true });
    expect(readFileSync(output).equals(expected)).toBe(true);
    expect(visibleNames(join(output, '..'))).toEqual(['out.ids.jsonl', 'out.npy']);

    const existing = await embedmill(['embed', few, '--to', output]);
    expect(existing).toMatchObject({ code: 2, stderr: expect.stringContaining('exists; add --overwrite') });
  });

  test('resumes with --overwrite, and the old output is kept until the end; other data starts a new run', async () => {
    const output = join(temporaryFolder(), 'out.npy');
    writeFileSync(output, 'an old output');
    const interrupt = async () => {
      const call = await startToMiddle(output, '--overwrite');
      call.kill('SIGINT');
      await call.waitForExit();
    };
    await interrupt();
    expect(readFileSync(output, 'utf8')).toBe('an old output');
    const { code, stderr } = await embedmill(['embed', input, '--to', output, ...manner, '--overwrite']);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Resuming') });
    expect(readFileSync(output).equals(expected)).toBe(true);

    await interrupt();
    expect(existsSync(`${output}.partial`)).toBe(true);
    const few = join(temporaryFolder(), 'few.jsonl');
    writeFileSync(few, jsonLines(sentences(3)));
    expect(await embedmill(['embed', few, '--to', output, '--overwrite'])).toMatchObject({ code: 0 });
    expect(readMatrix(output)).toHaveLength(3);
    expect(existsSync(`${output}.partial`)).toBe(false);
  });

  test('resumes with the same data on stdin, and rejects other data', async () => {
    const output = join(temporaryFolder(), 'out.npy');
    const args = ['embed', '-', '--format', 'jsonl', '--to', output, ...manner];
    const call = startEmbedmill(args, { env, input: lines });
    await whenRowsAreDone(output);
    call.kill('SIGINT');
    await call.waitForExit();

    const other = await embedmill(args, { input: lines.replace('kettle', 'bottle') });
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the input differs from that of run'),
    });
    expect(await embedmill(args, { input: lines })).toMatchObject({ code: 0 });
    expect(readFileSync(output).equals(expected)).toBe(true);
  });

  test('resumes on a server, where the run has continued', async () => {
    const folder = temporaryFolder();
    const { url, prefix } = testRedis();
    const settings = { REDIS_URL: url, EMBEDMILL_PREFIX: prefix, EMBEDMILL_DATA_DIR: join(folder, 'data') };
    const producer = startEmbedmill(['producer', '--port', '0'], { env: settings });
    const server = JSON.parse(
      /.*producer is up.*/.exec((await producer.waitFor(/producer is up.*\n/)).input)![0],
    ).url;
    const output = join(folder, 'out.npy');
    const args = ['embed', input, '--to', output, '--server', server];

    // Nobody works yet, so the interrupt cannot come too late.
    const call = startEmbedmill(args, { env });
    const found = async () =>
      ((await (await fetch(`${server}/v1/runs`)).json()) as { runs: RunInfo[] }).runs[0]?.state;
    await expect.poll(found).toBe('sealed');
    call.kill('SIGINT');
    expect(await call.waitForExit()).toEqual({ code: 130, signal: null });
    expect(call.stderr).toContain(`The run continues on ${server}`);

    const worker = startEmbedmill(['worker', '--port', '0', '--threads', '1'], { env: settings });
    await expect.poll(found).toBe('completed');
    const { code, stderr } = await embedmill(args);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${ROWS} of the ${ROWS} rows`),
    });
    expect(readFileSync(output).equals(expected)).toBe(true);
    for (const member of [worker, producer]) {
      member.kill('SIGTERM');
      expect(await member.waitForExit()).toMatchObject({ code: 0 });
    }
  });
});

describe('a command that is interrupted before it knows its run', () => {
  test('gets the run at the next attempt, and leaves none if the input has changed', async () => {
    const place = testRedis();
    const producer = await startProducerProcess(place, temporaryFolder());
    await startWorkerProcess(place);
    await producer.ready();
    const runs = async () =>
      ((await (await producer.call('GET', '/v1/runs')).json()) as { runs: RunInfo[] }).runs;
    let losesAnswers = true;
    const proxy = await startProxy(
      producer.url,
      ({ method, url }) => losesAnswers && `${method} ${url}` === 'POST /v1/runs',
    );

    const folder = temporaryFolder();
    const [text, output] = [join(folder, 'in.txt'), join(folder, 'out.npy')];
    const args = ['embed', text, '--to', output, '--server', proxy];
    writeFileSync(text, 'one\ntwo\n');
    /** Ends a command whose run was created, but not reported to it. */
    const interrupt = async (signal: NodeJS.Signals, count: number) => {
      losesAnswers = true;
      const call = startEmbedmill(args);
      await expect.poll(async () => (await runs()).length, { interval: 20 }).toBe(count);
      call.kill(signal);
      await call.exited;
      losesAnswers = false;
      return (await runs())[0]!.id;
    };
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const id = await interrupt(signal, signal === 'SIGINT' ? 1 : 2);
      expect(await embedmill(args)).toMatchObject({ code: 0 });
      const [newest] = await runs();
      expect(newest).toMatchObject({ id, state: 'completed' });
      rmSync(output);
    }
    const orphan = await interrupt('SIGINT', 3);
    writeFileSync(text, 'one\ntwo\nthree\n');
    expect(await embedmill(args)).toMatchObject({ code: 0 });
    const ids = (await runs()).map(({ id }) => id);
    expect(ids).toHaveLength(3);
    expect(ids).not.toContain(orphan);
  });
});

describe('several files', () => {
  test('resume after kill -9, which leaves no process running, but not after one of them changed', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'in'));
    const rows = lines.trimEnd().split('\n');
    const shard = (n: number) => rows.slice((n * ROWS) / 3, ((n + 1) * ROWS) / 3).join('\n');
    writeFileSync(join(folder, 'in/a.jsonl'), shard(0));
    writeFileSync(join(folder, 'in/b.jsonl.gz'), gzipSync(shard(1)));
    writeFileSync(join(folder, 'in/c.json'), `[${shard(2).replaceAll('\n', ',')}]`);
    const output = join(folder, 'out.npy');
    const args = ['embed', join(folder, 'in'), '--to', output, ...manner];
    const killed = startEmbedmill(args, { env });
    await whenRowsAreDone(output);
    const children = childrenOf(output);
    expect(children).toHaveLength(2);
    killed.kill('SIGKILL');
    await killed.waitForExit();
    await Promise.all(children.map((pid) => waitUntilGone(pid)));

    const whole = readFileSync(join(folder, 'in/b.jsonl.gz'));
    writeFileSync(join(folder, 'in/b.jsonl.gz'), gzipSync(shard(0)));
    expect(await embedmill(args)).toMatchObject({ code: 2, stderr: expect.stringContaining('differs') });
    writeFileSync(join(folder, 'in/b.jsonl.gz'), whole);
    const resumed = await embedmill(args);
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining('Resuming') });
    expect(readFileSync(output).equals(expected)).toBe(true);
    // The columns come from all files, also from rows that the killed attempt had sent.
    expect(readLines(join(folder, 'out.ids.jsonl'))).toEqual(rows.map((line) => JSON.parse(line)));
  });
});

test('producer, worker and Redis are restarted when they are killed during a run', async () => {
  const output = join(temporaryFolder(), 'out.npy');
  const call = await startToMiddle(output);
  for (const pid of childrenOf(output)) process.kill(pid, 'SIGKILL');
  await call.waitFor(/The (worker|producer) exited \(SIGKILL\); restarting it/);
  await whenRowsAreDone(output, 2 * INTERRUPT_AT);
  const owner = JSON.parse(readFileSync(`${output}.partial/data/redis/owner.json`, 'utf8'));
  process.kill(await pidOfServer(owner), 'SIGKILL');
  expect(await call.waitForExit()).toMatchObject({ code: 0 });
  expect(call.stderr).toContain('The private Redis exited; restarting it');
  expect(readFileSync(output).equals(expected)).toBe(true);
});

async function pidOfServer({ port, password }: { port: number; password: string }): Promise<number> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(`redis://:${password}@127.0.0.1:${port}`);
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  redis.disconnect();
  return pid;
}

test('a command whose worker cannot start ends with its reason, and leaves nothing', async () => {
  const folder = temporaryFolder();
  const output = join(folder, 'out.npy');
  const ended = await embedmill(['embed', input, '--to', output], { env: { EMBEDMILL_KERNEL: 'none' } });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/the worker did not start; the end of its log:\n.*"none" is not a kernel/);
  expect(visibleNames(folder)).toEqual([]);
});
