/** A separate Redis that a test can freeze, kill and restart, with or without its data. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideRedis, readConfig } from '@embedmill/core/process';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { temporaryFolder } from './folder.ts';

/** How to reach a server with TLS or a password. */
export interface RedisAccess {
  /** URL for a port. Default `redis://127.0.0.1:<port>`. */
  urlOf: (port: number) => string;
  /** CA certificate, for `rediss:`. */
  ca?: string;
}

const OPEN_ACCESS: RedisAccess = { urlOf: (port) => `redis://127.0.0.1:${port}` };

/** Listens on the same port after each start, with an append-only file and without eviction. */
export class RedisProcess {
  readonly port: number;
  readonly url: string;
  readonly #command: string;
  readonly #settings: readonly string[];
  readonly #folder: string;
  readonly #ca: string | undefined;
  #child: ChildProcess | undefined;

  constructor(
    command: string,
    port: number,
    folder: string,
    settings: readonly string[],
    { urlOf, ca }: RedisAccess,
  ) {
    this.#command = command;
    this.port = port;
    this.url = urlOf(port);
    this.#ca = ca;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** Starts the server with the data in its folder; resolves when it replies. */
  async start(): Promise<void> {
    const isSecure = this.#ca !== undefined;
    const options = [
      '--port',
      String(isSecure ? 0 : this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#folder,
    ];
    const manners = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];
    const tls = isSecure ? ['--tls-port', String(this.port), '--tls-auth-clients', 'no'] : [];
    const all = [...options, ...manners, ...tls, ...this.#settings];
    const child = spawn(this.#command, all, { stdio: 'ignore' });
    this.#child = child;
    const refused = once(child, 'exit').then(([code]) => {
      if (code !== null) throw new Error(`redis-server exited with ${code}: ${all.join(' ')}`);
    });
    const answers = this.ask(async (redis) => {
      // A server that is still loading its data replies with an error.
      while (child.exitCode === null && (await redis.ping().catch(() => '')) !== 'PONG')
        await new Promise((r) => setTimeout(r, 20));
    });
    await Promise.race([answers, refused]);
    // A later exit is wanted by the test.
    refused.catch(() => {});
  }

  /** Kills the server, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Deletes all data of a killed server. */
  empty(): void {
    // Redis 6.2 keeps its append-only data in one file, newer servers in a folder.
    for (const name of ['appendonlydir', 'appendonly.aof']) {
      rmSync(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Suspends the server: connections stay open and get no replies. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Runs `use` with a temporary connection. */
  async ask<Answer>(step: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    const tls = this.#ca === undefined ? {} : { tls: { ca: this.#ca } };
    const redis = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null, ...tls });
    redis.on('error', () => {});
    try {
      return await step(redis);
    } finally {
      redis.disconnect();
    }
  }
}

/**
 * Prepares a server, to be started by the test; it stops with the test.
 * @param settings options for `redis-server`
 */
export async function redisProcess(
  settings: readonly string[] = [],
  access: RedisAccess = OPEN_ACCESS,
): Promise<RedisProcess> {
  const redis = new RedisProcess(
    await serverCommand(),
    await freePort(),
    temporaryFolder(),
    settings,
    access,
  );
  onTestFinished(() => redis.kill());
  return redis;
}

/** A server that is started before all tests of a file and stopped after them. */
export async function redisForAll(): Promise<RedisProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-redis-'));
  const redis = new RedisProcess(await serverCommand(), await freePort(), folder, [], OPEN_ACCESS);
  beforeAll(() => redis.start());
  afterAll(async () => {
    await redis.kill();
    rmSync(folder, { recursive: true });
  });
  return redis;
}

/** Whether the server that tests start knows a setting: an unknown one is the first that it complains about. */
export async function knowsSetting(name: string, value: string): Promise<boolean> {
  const options = [`--${name}`, value, '--no-such-setting', '1'];
  const { stdout, stderr } = spawnSync(await serverCommand(), options, { encoding: 'utf8', timeout: 10_000 });
  return !`${stdout}${stderr}`.includes(`'${name} `);
}

/** Whether the server that tests start supports TLS: without a certificate it exits, and says why. */
export async function hasTls(): Promise<boolean> {
  const options = ['--port', '0', '--tls-port', String(await freePort())];
  const { stdout, stderr } = spawnSync(await serverCommand(), options, { encoding: 'utf8', timeout: 10_000 });
  return /Failed to configure TLS/.test(`${stdout}${stderr}`);
}

/** The `redis-server` that tests start. */
export async function serverCommand(): Promise<string> {
  const program = await provideRedis({
    cacheDir: readConfig(process.env).cacheDir,
    install: true,
    log: (line) => console.log(line),
  });
  if (program.kind !== 'binary') throw new Error('fault tests need a redis-server outside of a container');
  return program.command;
}

/** A free TCP port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a TCP address');
  return address.port;
}
