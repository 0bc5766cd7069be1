/** The life of a private Redis server, from an empty folder to a clean end; started by resolve.ts. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@embedmill/contract';
import { DOCKER_FOLDER, DOCKER_PORT, dockerCommand } from './docker.ts';
import type { RedisProgram } from './find.ts';
import { GRACE_SECONDS, type Guarded, killGuarded, letGo, spawnGuarded } from './guardian.ts';
import { isAlive } from './is-alive.ts';
import { claimFolder, type Owner, releaseFolder } from './owner.ts';
import { ping } from './ping.ts';
import { serverConfig } from './server-config.ts';

/** What a {@link PrivateRedis} needs. */
export interface PrivateRedisOptions {
  program: RedisProgram;
  /** The server's own folder; created if missing. */
  folder: string;
  maxMemoryBytes: number;
  startTimeoutMs: number;
  log: (line: string) => void;
}

/** How the server ended. */
export interface PrivateRedisExit {
  /** True when `stop` ended it. */
  asked: boolean;
  /** Its exit status, 128 + n for signal n. */
  status: number;
}

/** How often another port is tried: between our look at a free port and the server's, another program may take it. */
const PORT_TRIES = 5;

/** What Redis and Docker say when that happened. */
const PORT_TAKEN = /address already in use|port is already allocated/i;

/** A Redis server that belongs to this process: nobody else uses it, and it never outlives us. */
export class PrivateRedis {
  /** Settles when the started server ended, asked or not. */
  readonly exited: Promise<PrivateRedisExit>;

  readonly #options: PrivateRedisOptions;
  readonly #folder: string;
  #settleExited: (exit: PrivateRedisExit) => void = () => {};
  #owner: Owner | undefined;
  #guarded: Guarded | undefined;
  #isStopping = false;

  constructor(options: PrivateRedisOptions) {
    this.#options = options;
    this.#folder = resolve(options.folder);
    this.exited = new Promise((settle) => {
      this.#settleExited = settle;
    });
  }

  /** Where it listens, with its password; empty before `start`. */
  get url(): string {
    return this.#owner === undefined ? '' : `redis://:${this.#owner.password}@127.0.0.1:${this.#owner.port}`;
  }

  /** The server's process id; undefined before `start`. */
  get pid(): number | undefined {
    return this.#guarded?.serverPid;
  }

  /** Starts the server and waits until it answers. Errors: `redis-folder-in-use`, `redis-start-failed`. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await chmod(this.#folder, 0o700);
    for (let tries = 1; ; tries++) {
      const owner = {
        starterPid: process.pid,
        port: await freePort(),
        password: randomBytes(24).toString('hex'),
      };
      await claimFolder(this.#folder, owner);
      const failure = await this.#launch(owner).catch((thrown: unknown) => String(thrown));
      if (failure === undefined) return;
      await releaseFolder(this.#folder, owner);
      if (tries === PORT_TRIES || !PORT_TAKEN.test(failure)) {
        throw new UnavailableError(
          'redis-start-failed',
          `The private Redis server in "${this.#folder}" did not start: ${failure}`,
        );
      }
    }
  }

  /** Ends the server and waits until its data is on disk; a server that does not end in time is killed. */
  async stop(): Promise<void> {
    if (this.#guarded === undefined) return;
    const guarded = this.#guarded;
    this.#isStopping = true;
    letGo(guarded);
    // The guardian itself kills a server that ignores it; this is for a guardian that cannot (stopped or killed).
    const killer = setTimeout(() => killGuarded(guarded), (GRACE_SECONDS + 3) * 1_000);
    await this.exited;
    clearTimeout(killer);
  }

  /** Starts the server for `owner`; returns why it did not start, undefined when it answers. */
  async #launch(owner: Owner): Promise<string | undefined> {
    await writeFile(join(this.#folder, 'redis.conf'), this.#config(owner), { mode: 0o600 });
    const guarded = await spawnGuarded(this.#command(owner), this.#logPath);
    let status: number | undefined;
    void guarded.ended.then((exitStatus) => {
      status = exitStatus;
    });

    const deadline = performance.now() + this.#options.startTimeoutMs;
    while (status === undefined && (await ping(owner.port, owner.password)) !== 'ready') {
      if (performance.now() > deadline) {
        killGuarded(guarded);
        await guarded.ended;
        return `no answer within ${this.#options.startTimeoutMs} ms\n${await this.#logTail()}`;
      }
      await sleep(15);
    }
    if (status !== undefined) return `it ended with status ${status}\n${await this.#logTail()}`;

    this.#owner = owner;
    this.#guarded = guarded;
    void guarded.ended.then((exitStatus) => this.#end(owner, guarded, exitStatus));
    return undefined;
  }

  async #end(owner: Owner, guarded: Guarded, status: number): Promise<void> {
    // Usually the server is gone by now. If somebody killed only the guardian, its watcher still ends the server.
    letGo(guarded);
    while (isAlive(guarded.serverPid)) await sleep(20);
    if (!this.#isStopping) this.#options.log(`the private Redis server ended with status ${status}`);
    await releaseFolder(this.#folder, owner);
    this.#settleExited({ asked: this.#isStopping, status });
  }

  #command({ port }: Owner): string[] {
    const { program } = this.#options;
    return program.kind === 'docker'
      ? dockerCommand({ image: program.image, folder: this.#folder, port })
      : [program.command, join(this.#folder, 'redis.conf')];
  }

  #config({ port, password }: Owner): string {
    const { program, maxMemoryBytes } = this.#options;
    const place =
      program.kind === 'docker'
        ? { bind: '0.0.0.0', port: DOCKER_PORT, folder: DOCKER_FOLDER }
        : { bind: '127.0.0.1', port, folder: this.#folder };
    return serverConfig({ ...place, password, maxMemoryBytes });
  }

  get #logPath(): string {
    return join(this.#folder, 'redis.log');
  }

  async #logTail(): Promise<string> {
    const text = await readFile(this.#logPath, 'utf8');
    return text.trimEnd().split('\n').slice(-12).join('\n');
  }
}

/** A TCP port that is free on loopback at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a TCP address');
  return address.port;
}
