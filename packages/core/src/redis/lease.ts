/** The lease of a data folder: an expiring Redis key that gives it one producer at a time. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';

const SECOND = 1000;

/** The folder of a dead producer becomes free after this time. */
const LIFETIME_MS = 6 * SECOND;
const RENEW_MS = 2 * SECOND;

const RENEW = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** What a lease works with. */
export interface LeaseDeps {
  redis: Redis;
  key: string;
  log: Logger;
  /** Called once when another process took the lease while Redis was unreachable from this one. */
  onLost: () => void;
}

/**
 * Renewal also acquires a free lease, so the holder continues after Redis lost its data. A holder that could
 * not reach Redis for longer than the lifetime may find another holder; it must then stop writing to the
 * folder.
 */
export class Lease {
  readonly #deps: LeaseDeps;
  readonly #token = randomUUID();
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  /** When the last successful renewal was sent (monotonic clock). */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #error: unknown = null;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
  }

  /**
   * True while no other process can hold the lease. False once Redis has been unreachable, or this process
   * suspended, for longer than the lifetime; checked before every write.
   */
  get isSure(): boolean {
    return performance.now() - this.#renewedAt < LIFETIME_MS;
  }

  /** The error of the latest renewal; `null` if Redis took it. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves once the lease is acquired, then renews it. @throws when `stop` is called first */
  async start(): Promise<void> {
    const { key, log } = this.#deps;
    for (let waited = false; ; waited = true) {
      const held = await this.#renew().catch((error) => {
        log.debug({ reason: asError(error).message }, 'the lease could not be requested');
        return false;
      });
      if (held) break;
      if (!waited)
        log.info(
          { key },
          'waiting for the lease of the data folder: Redis is unreachable or another producer holds it',
        );
      await sleep(RENEW_MS / 4, undefined, { signal: this.#stopping.signal });
    }
    this.#loop = this.#keep();
  }

  /** Releases the lease, so that the next producer does not have to wait. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#deps.redis.eval(RELEASE, 1, this.#deps.key, this.#token).catch(() => {});
  }

  async #keep(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(RENEW_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      try {
        if (await this.#renew()) continue;
        this.#deps.onLost();
        return;
      } catch (error) {
        this.#deps.log.debug({ reason: asError(error).message }, 'the lease could not be renewed');
      }
    }
  }

  async #renew(): Promise<boolean> {
    const sentAt = performance.now();
    const { redis, key } = this.#deps;
    try {
      const isOurs = (await redis.eval(RENEW, 1, key, this.#token, LIFETIME_MS)) === 1;
      if (isOurs) this.#renewedAt = sentAt;
      this.#error = null;
      return isOurs;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }
}
