/** Reports every two seconds that a worker is alive and how busy it is; each worker runs one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { whenReady } from '../connect.ts';
import type { Keys } from '../keys.ts';
import type { WorkerReport } from './types.ts';

const BEAT_MS = 2000;

/** TTL of a report: Redis expires it, so no clocks are compared. */
const LIFE_MS = 4 * BEAT_MS;

/** TTL of the set of ids. */
const INDEX_LIFE_MS = 60_000;

/** What a heartbeat works with. */
export interface HeartbeatDeps {
  /** A `command` connection: a heartbeat that cannot be sent now is useless later. */
  redis: Redis;
  keys: Keys;
  report: () => WorkerReport;
  log: Logger;
}

/** Sends reports until it is stopped; while Redis is unreachable, they are skipped. */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Stops and removes the worker from the list at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    const { redis, keys, report } = this.#deps;
    const { id } = report();
    await redis
      .multi()
      .unlink(keys.worker(id))
      .srem(keys.workers, id)
      .exec()
      .catch(() => {});
  }

  async #run(): Promise<void> {
    await whenReady(this.#deps.redis, BEAT_MS);
    while (!this.#stopping.signal.aborted) {
      await this.#beat().catch((error) =>
        this.#deps.log.debug({ reason: asError(error).message }, 'a heartbeat could not be sent'),
      );
      await sleep(BEAT_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
    }
  }

  async #beat(): Promise<void> {
    const { redis, keys, report } = this.#deps;
    const current = report();
    await redis
      .multi()
      .set(keys.worker(current.id), JSON.stringify(current), 'PX', LIFE_MS)
      .sadd(keys.workers, current.id)
      .pexpire(keys.workers, INDEX_LIFE_MS)
      .exec();
  }
}
