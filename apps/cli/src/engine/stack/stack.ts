/** Redis, a producer and a worker for one command on this machine; `embed` and `up` start one. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, Releasers, type ResolvedRedis, resolveRedis } from '@embedmill/core/process';
import { SupervisedChild } from './child.ts';

/** How to start a {@link Stack}. */
export interface StackOptions {
  /** Of the children, besides what the stack sets: where Redis is and where data go. */
  environment: Environment;
  /** Milliseconds that a child may take to finish its work when it stops. */
  shutdownMs: number;
  /** A Redis that exists; without it a private one is started. */
  redisUrl: string | undefined;
  /** Runs, and the private Redis in it. */
  dataDir: string;
  /** A fetched Redis is kept there. */
  cacheDir: string;
  /** Folder of `producer.log` and `worker.log`. */
  logDir: string;
  /** Receives one line for each thing that takes time or went wrong. */
  onNote: (line: string) => void;
  /** Receives the id of every process that is started. */
  onStart?: (pid: number) => void;
}

/** A child may use its own time to stop and a little more. */
const GRACE_BEYOND_SHUTDOWN_MS = 3_000;

/** Redis first, then producer and worker side by side; stopped in reverse. */
export class Stack {
  /** Settles with the reason when a part cannot be kept alive. */
  readonly whenBroken: Promise<Error>;
  readonly #options: StackOptions;
  readonly #producer: SupervisedChild;
  readonly #worker: SupervisedChild;
  readonly #releasers = new Releasers();
  #redis: ResolvedRedis | undefined;
  #replacing: Promise<void> = Promise.resolve();
  #break: (error: Error) => void = () => {};
  #isStopping = false;
  #graceMs: number;

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
    this.whenBroken = new Promise((resolve) => {
      this.#break = resolve;
      void this.#producer.whenBroken.then(resolve);
      void this.#worker.whenBroken.then(resolve);
    });
  }

  /** Starts everything and resolves when producer and worker are ready. What was started is stopped when a part fails. */
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

  /** Base URL of the producer's API; another one after it was started again. */
  get url(): string {
    return this.#producer.url;
  }

  /** Base URL of the worker's health and metrics. */
  get workerUrl(): string {
    return this.#worker.url;
  }

  get redisOrigin(): ResolvedRedis['origin'] {
    return this.#redis?.origin ?? 'private';
  }

  /** Ends everything without letting it finish; for when nothing that is kept there is needed any more. */
  async kill(): Promise<void> {
    this.#graceMs = 0;
    await this.stop();
  }

  /** Worker, producer, Redis, each when the one before is gone. Safe to call twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#replacing;
    await this.#releasers.release();
  }

  async #start(): Promise<void> {
    const { dataDir, logDir } = this.#options;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await mkdir(logDir, { recursive: true });
    await this.#startRedis();
    this.#releasers.add(() => this.#redis?.stop());
    this.#releasers.add(() => this.#producer.stop(this.#graceMs));
    this.#releasers.add(() => this.#worker.stop(this.#graceMs));
    await this.#startChildren();
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

  /** Both or neither: when one fails, the other is waited for, so that nothing is left half started. */
  async #startChildren(): Promise<void> {
    const started = await Promise.allSettled([this.#producer.start(), this.#worker.start()]);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** A new server reads the old one's append-only file but has another port, so the children are killed: they lose nothing. */
  async #replaceRedis(): Promise<void> {
    this.#options.onNote('The private Redis ended and is started again; nothing is lost.');
    await Promise.all([this.#producer.stop(0), this.#worker.stop(0)]);
    await this.#startRedis();
    if (!this.#isStopping) await this.#startChildren();
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
