/** Starts and stops a private Redis server, and writes its configuration file. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@embedmill/contract';
import { DOCKER_FOLDER, DOCKER_PORT, dockerCommand } from './docker.ts';
import type { RedisProgram } from './find.ts';
import { closePipe, GRACE_SECONDS, type Guarded, killGuarded, killServer, spawnGuarded } from './guardian.ts';
import { isAlive } from './is-alive.ts';
import { claimFolder, type Owner, releaseFolder } from './owner.ts';
import { ping } from './ping.ts';

/** Options of {@link PrivateRedis}. */
export interface PrivateRedisOptions {
  program: RedisProgram;
  /** The data folder of the server; created if missing. */
  folder: string;
  maxMemoryBytes: number;
  startTimeoutMs: number;
  log: (line: string) => void;
}

/** The exit of the server. */
export interface PrivateRedisExit {
  /** True if `stop` ended it. */
  asked: boolean;
  /** Its exit status, 128 + n for signal n. */
  status: number;
}

/** Maximum number of ports tried; another program may take a free port before the server binds it. */
const MAX_PORT_TRIES = 5;

/** The messages of Redis and Docker for a port in use. */
const PORT_TAKEN = /address already in use|port is already allocated/i;

/** A Redis server that only this process uses and that never outlives it. */
export class PrivateRedis {
  /** Resolves when the server ends, stopped or not. */
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

  /** The URL of the server with its password; empty before `start`. */
  get url(): string {
    return this.#owner === undefined ? '' : `redis://:${this.#owner.password}@127.0.0.1:${this.#owner.port}`;
  }

  /** The process id of the server; undefined before `start`. */
  get pid(): number | undefined {
    return this.#guarded?.serverPid;
  }

  /** Starts the server and waits until it is ready. Errors: `redis-folder-in-use`, `redis-start-failed`. */
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
      if (tries === MAX_PORT_TRIES || !PORT_TAKEN.test(failure)) {
        throw new UnavailableError(
          'redis-start-failed',
          `the private Redis server in "${this.#folder}" did not start: ${failure}`,
        );
      }
    }
  }

  /** Stops the server and waits until its data is on disk; a server that does not end in time is killed. */
  async stop(): Promise<void> {
    await this.#stop(closePipe);
  }

  /** Kills the server and waits for its end; for data that is no longer needed. */
  async kill(): Promise<void> {
    // A container would outlive its client, which is all that can be killed here.
    const isContainer = this.#options.program.kind === 'docker';
    await this.#stop(isContainer ? closePipe : killServer);
  }

  async #stop(end: (guarded: Guarded) => void): Promise<void> {
    if (this.#guarded === undefined) return;
    const guarded = this.#guarded;
    this.#isStopping = true;
    end(guarded);
    // Normally the guardian kills a server that does not end; this covers a guardian that was stopped or
    // killed.
    const killer = setTimeout(() => killGuarded(guarded), (GRACE_SECONDS + 3) * 1_000);
    await this.exited;
    clearTimeout(killer);
  }

  /** Starts the server for `owner`; returns an error message, or undefined when the server is ready. */
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
        return `no response within ${this.#options.startTimeoutMs} ms\n${await this.#logTail()}`;
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
    // Usually the server has ended by now. If only the guardian was killed, its watcher still ends the
    // server.
    closePipe(guarded);
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

/** Returns a TCP port that is currently free on loopback. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the TCP server has no TCP address');
  return address.port;
}

/** The settings that differ between private servers. */
interface ServerConfig {
  /** Address to listen on: 127.0.0.1, or 0.0.0.0 in a container whose port is published on loopback only. */
  bind: string;
  port: number;
  /** Letters and digits. Passed in a file (mode 0600), because other users can read the process list. */
  password: string;
  /** Folder of the append-only file. */
  folder: string;
  maxMemoryBytes: number;
}

/** The text of redis.conf, which is written at every start. */
function serverConfig({ bind, port, password, folder, maxMemoryBytes }: ServerConfig): string {
  return `# Written by Embedmill at every start; changes are lost.
bind ${bind}
port ${port}
protected-mode yes
requirepass ${password}
dir ${quoted(folder)}
daemonize no

# Acknowledged writes survive a crash of this server; a power cut can lose the last second.
appendonly yes
appendfsync everysec
save ""

# A full Redis rejects writes; it never evicts a batch to make room.
maxmemory ${maxMemoryBytes}
maxmemory-policy noeviction
`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
