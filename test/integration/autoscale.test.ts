/**
 * `embedmill autoscale --compose` with a real producer and a simulated docker; test/compose has real
 * containers.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { type RunningProducer, startProducer } from '@embedmill/producer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/api.ts';
import { embedmill, startEmbedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { testRedis } from '../support/redis.ts';

const COMMANDS = fileURLToPath(new URL('../fixtures/commands', import.meta.url));

/** A docker of which a test can see and break everything. */
function fakeDocker(replicas: number) {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  writeFileSync(at('replicas'), String(replicas));
  writeFileSync(at('commands'), '');
  return {
    env: { PATH: `${COMMANDS}${delimiter}${process.env.PATH}`, DOCKER_STATE: folder },
    replicas: () => Number(readFileSync(at('replicas'), 'utf8')),
    commands: () => readFileSync(at('commands'), 'utf8').trim().split('\n'),
    breakDown: () => writeFileSync(at('broken'), ''),
    mend: () => rmSync(at('broken')),
  };
}

async function produce(): Promise<RunningProducer> {
  const { url, prefix } = testRedis();
  const config = { ...readConfig({}), redisUrl: url, prefix, port: 0, dataDir: temporaryFolder() };
  const producer = await startProducer(config, { log: createLogger({ logLevel: 'silent' }, 'test') });
  onTestFinished(() => producer.stop());
  await until(async () => (await fetch(`${producer.url}/readyz`)).ok);
  return producer;
}

/** Gives the producer rows that nobody works on; returns what takes them away. */
async function enqueue({ url }: RunningProducer): Promise<() => Promise<unknown>> {
  const post = (path: string, body: string, type: string) =>
    fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  const { id } = (await (await post('/v1/runs', '{}', 'application/json')).json()) as { id: string };
  await post(`/v1/runs/${id}/rows?part=0`, '{"text":"a row that waits"}\n', 'application/x-ndjson');
  return () => fetch(`${url}/v1/runs/${id}/cancel`, { method: 'POST' });
}

const OPTIONS = ['autoscale', '--compose', '--every', '1', '--min', '0', '--max', '3', '--cool-down', '2'];

describe('embedmill autoscale', () => {
  it('starts workers for a backlog, and stops them after the cool-down', async () => {
    const [docker, producer] = [fakeDocker(0), await produce()];
    const empty = await enqueue(producer);
    const command = startEmbedmill([...OPTIONS, '--server', producer.url], { env: docker.env });
    await until(() => docker.replicas() === 1);
    expect(docker.commands()).toContain(
      'docker compose up -d --no-build --no-deps --no-recreate --scale worker=1 worker',
    );
    await command.waitFor(/backlog 1 row, 0 rows\/s by 0 workers, 1 wanted; scaling out from 0 to 1/);
    await empty();
    await command.waitFor(/scaling in from 1 to 0 in .* unless more are wanted/);
    expect(docker.replicas()).toBe(1);
    await until(() => docker.replicas() === 0);
    await command.waitFor(/scaling in from 1 to 0\n.* 0 workers after/);
    command.kill('SIGINT');
    expect(await command.waitForExit()).toEqual({ code: 0, signal: null });
    expect(command.stderr).toMatch(/Stopping; the number of workers is unchanged\.\n$/);
  });

  it('prints commands in a dry run, without running them', async () => {
    const [docker, producer] = [fakeDocker(0), await produce()];
    await enqueue(producer);
    const args = [
      ...OPTIONS,
      '--compose',
      'mill.yaml',
      '--project',
      'mill',
      '--dry-run',
      '--server',
      producer.url,
    ];
    const command = startEmbedmill(args, { env: docker.env });
    await command.waitFor(
      /dry run, not executed: docker compose -f mill.yaml -p mill up -d .*--scale worker=1 worker/,
    );
    expect(docker.replicas()).toBe(0);
    expect(docker.commands().filter((line) => line.includes(' up '))).toEqual([]);
  });

  it('keeps the workers while the producer or docker does not respond, and continues afterwards', async () => {
    const [docker, producer] = [fakeDocker(0), await produce()];
    const command = startEmbedmill([...OPTIONS, '--server', producer.url], { env: docker.env });
    await command.waitFor(/keeping 0 workers/);
    docker.breakDown();
    await enqueue(producer);
    await command.waitFor(/failed: Cannot connect to the Docker daemon; no change, retrying/);
    docker.mend();
    await until(() => docker.replicas() === 1);
    await producer.stop();
    await command.waitFor(/no response from .*; the number of workers is unchanged/);
    expect(docker.replicas()).toBe(1);
  });

  it('exits at once with a message if it cannot work', async () => {
    const empty = temporaryFolder();
    mkdirSync(join(empty, 'bin'));
    const bare = await embedmill(['autoscale', '--compose'], { env: { PATH: join(empty, 'bin') } });
    expect(bare).toMatchObject({ code: 1, stderr: expect.stringContaining('neither "docker compose" nor') });
    const crossed = await embedmill([...OPTIONS, '--min', '5'], { env: fakeDocker(0).env });
    expect(crossed).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--min 5 is greater than --max 3'),
    });
  });
});
