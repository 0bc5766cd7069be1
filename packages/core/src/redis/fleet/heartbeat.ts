/** Tells the fleet every few seconds that this worker is there and how busy it is; a worker runs one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { whenReady } from '../connect.ts';
import type { Keys } from '../keys.ts';
import type { WorkerReport } from './types.ts';

const BEAT_MS = 2000;

/** A report that was not renewed for so long is forgotten by Redis, so no clocks are compared. */
const LIFE_MS = 4 * BEAT_MS;

/** The set of ids goes when nobody has beaten for so long. */
const INDEX_LIFE_MS = 60_000;

/** What a heartbeat works with. */
export interface HeartbeatDeps {
  /** A `command` connection: a beat that cannot be sent now is of no use later. */
  redis: Redis;
  keys: Keys;
  report: () => WorkerReport;
  log: Logger;
}

/** Beats until it is stopped; a Redis that does not answer misses beats and nothing else. */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: HeartbeatDeps) {
    this.#deps = parts;
  }

  start(): void {
    this.#loop = this.#beatOn();
  }

  /** The worker leaves the list at once. */
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

  async #beatOn(): Promise<void> {
    await whenReady(this.#deps.redis, BEAT_MS);
    while (!this.#stopping.signal.aborted) {
      await this.#beat().catch((error) =>
        this.#deps.log.debug({ reason: asError(error).message }, 'a heartbeat was not sent'),
      );
      await sleep(BEAT_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
    }
  }

  async #beat(): Promise<void> {
    const { redis, keys, report } = this.#deps;
    const said = report();
    await redis
      .multi()
      .set(keys.worker(said.id), JSON.stringify(said), 'PX', LIFE_MS)
      .sadd(keys.workers, said.id)
      .pexpire(keys.workers, INDEX_LIFE_MS)
      .exec();
  }
}
