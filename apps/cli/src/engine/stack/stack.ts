/**
 * Runs Redis, a producer and a worker on this machine for one command; see docs/decisions/0004 and
 * docs/decisions/0235-rows-are-sent-while-the-worker-starts.md.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  deferred,
  type Environment,
  Releasers,
  type ResolvedRedis,
  resolveRedis,
} from '@embedmill/core/process';
import { SupervisedChild } from './child.ts';

/** How to start a {@link Stack}. */
export interface StackOptions {
  /** Environment of the children; the stack adds the URL of Redis and the data folder. */
  environment: Environment;
  /** Time for a child to finish its work when it stops. */
  shutdownMs: number;
  /** An existing Redis; without it a private one is started. */
  redisUrl: string | undefined;
  /** Folder for runs and the private Redis. */
  dataDir: string;
  /** Folder for a downloaded Redis. */
  cacheDir: string;
  /** Folder for `producer.log` and `worker.log`. */
  logDir: string;
  /** Receives a line for each slow step or failure. */
  onNote: (line: string) => void;
  /** Receives the id of every started process. */
  onStart?: (pid: number) => void;
  /** Whether `start` waits for the worker, too; a failure of its start otherwise rejects `whenWorking`. Default true. */
  awaitWorker?: boolean;
}

/** Time beyond `shutdownMs` after which a stopping child is killed. */
const GRACE_BEYOND_SHUTDOWN_MS = 3_000;

/** Starts Redis, then producer and worker concurrently; stops them in reverse order. */
export class Stack {
  /** Resolves with the reason when a process cannot be kept alive. */
  readonly whenBroken: Promise<Error>;
  readonly #options: StackOptions;
  readonly #producer: SupervisedChild;
  readonly #worker: SupervisedChild;
  readonly #releasers = new Releasers();
  /** Resolves when the worker is ready for the first time; rejects with why it did not start. */
  readonly whenWorking: Promise<void>;
  readonly #working = deferred();
  #redis: ResolvedRedis | undefined;
  /** Number of servers that were replaced, each with its children. */
  #replacements = 0;
  #replacing: Promise<void> = Promise.resolve();
  #break: (error: Error) => void = () => {};
  #isStopping = false;
  #killed: Promise<void> | undefined;
  readonly #graceMs: number;

  private constructor(options: StackOptions) {
    this.#options = options;
    this.#graceMs = options.shutdownMs + GRACE_BEYOND_SHUTDOWN_MS;
    const child = (command: 'producer' | 'worker') =>
      new SupervisedChild({
        command,
        environment: () => this.#childEnvironment(),
        logPath: join(options.logDir, `${command}.log`),
        onNote: options.onNote,
        onStart: options.onStart ?? (() => {}),
      });
    this.#producer = child('producer');
    this.#worker = child('worker');
    this.whenWorking = this.#working.promise;
    this.whenWorking.catch(() => {});
    this.whenBroken = new Promise((resolve) => {
      this.#break = resolve;
      void this.#producer.whenBroken.then(resolve);
      void this.#worker.whenBroken.then(resolve);
    });
  }

  /** Resolves when the producer is ready, and the worker unless that is not awaited. On failure, stops what was started. */
  static async start(options: StackOptions): Promise<Stack> {
    const stack = new Stack(options);
    try {
      await stack.#start();
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  /** Base URL of the producer's API; changes after a restart. */
  get url(): string {
    return this.#producer.url;
  }

  /** Base URL of the worker's health and metrics. */
  get workerUrl(): string {
    return this.#worker.url;
  }

  /** Where Redis comes from: `REDIS_URL` or a private server. */
  get redisOrigin(): ResolvedRedis['origin'] {
    return this.#redis?.origin ?? 'private';
  }

  /** Kills all processes at once; for data that is no longer needed. */
  kill(): Promise<void> {
    this.#killed ??= this.#kill();
    return this.#killed;
  }

  /** Stops worker, producer and Redis, one after the other, unless they were killed. Idempotent. */
  async stop(): Promise<void> {
    if (this.#killed !== undefined) return this.#killed;
    this.#isStopping = true;
    await this.#replacing;
    await this.#releasers.release();
  }

  async #kill(): Promise<void> {
    this.#isStopping = true;
    await this.#replacing;
    await Promise.all([this.#producer.stop(0), this.#worker.stop(0), this.#redis?.kill()]);
  }

  async #start(): Promise<void> {
    const { dataDir, logDir } = this.#options;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await mkdir(logDir, { recursive: true });
    await this.#startRedis();
    this.#releasers.add(() => this.#redis?.stop());
    this.#releasers.add(() => this.#producer.stop(this.#graceMs));
    this.#releasers.add(() => this.#worker.stop(this.#graceMs));
    const working = this.#startWorker();
    // If the producer fails, its worker must not be left half started.
    await this.#producer.start().catch(async (error) => {
      await working;
      throw error;
    });
    if (this.#options.awaitWorker ?? true) {
      await Promise.race([this.whenWorking, this.whenBroken.then((error) => Promise.reject(error))]);
    }
  }

  /** Starts the worker and settles `whenWorking`, unless this stack stopped the worker. Never rejects. */
  async #startWorker(): Promise<void> {
    const replacements = this.#replacements;
    try {
      await this.#worker.start();
      this.#working.resolve();
    } catch (error) {
      if (!this.#isStopping && replacements === this.#replacements) this.#working.reject(error);
    }
  }

  async #startRedis(): Promise<void> {
    const { redisUrl, dataDir, cacheDir, onNote } = this.#options;
    const redis = await resolveRedis({ url: redisUrl, dataDir, cacheDir, log: onNote });
    this.#redis = redis;
    void redis.exited.then(({ asked }) => {
      if (asked || this.#isStopping) return;
      this.#replacing = this.#replaceRedis().catch(this.#break);
    });
  }

  /**
   * A new server reads the append-only file but has another port, so the children are killed. They lose no
   * data.
   */
  async #replaceRedis(): Promise<void> {
    this.#options.onNote('The private Redis exited; restarting it. No data is lost.');
    this.#replacements += 1;
    await Promise.all([this.#producer.stop(0), this.#worker.stop(0)]);
    await this.#startRedis();
    if (this.#isStopping) return;
    const started = await Promise.allSettled([this.#producer.start(), this.#worker.start()]);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.#working.resolve();
  }

  #childEnvironment(): Environment {
    const { environment, dataDir, shutdownMs } = this.#options;
    return {
      ...environment,
      EMBEDMILL_SHUTDOWN_MS: String(shutdownMs),
      REDIS_URL: this.#redis?.url,
      EMBEDMILL_DATA_DIR: dataDir,
    };
  }
}
