/** Makes sure that a data folder has one producer at a time, through a key in Redis that lives a few seconds. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';

const SECOND = 1000;

/** A dead producer's folder is free after this time. */
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
  /** Called once when another process took the lease while this one was away from Redis. */
  onLost: () => void;
}

/**
 * Renewing takes a lease that is nobody's: after a Redis that came back empty the holder simply goes on. A holder that
 * was away longer than the lifetime may find another one; it must then stop writing to the folder.
 */
export class Lease {
  readonly #deps: LeaseDeps;
  readonly #token = randomUUID();
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  /** When the last successful renewal was asked for, on the clock that nobody sets. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: LeaseDeps) {
    this.#deps = parts;
  }

  /**
   * True while nobody else can have the lease. False while Redis is away for longer than the lifetime, and after this process
   * was frozen for so long: whoever writes asks first.
   */
  get isSure(): boolean {
    return performance.now() - this.#renewedAt < LIFETIME_MS;
  }

  /** Waits until the lease is ours, then keeps it. @throws when `stop` is called first */
  async start(): Promise<void> {
    const { key, log } = this.#deps;
    for (let waited = false; ; waited = true) {
      const held = await this.#renew().catch((error) => {
        log.debug({ reason: asError(error).message }, 'the lease cannot be asked for');
        return false;
      });
      if (held) break;
      if (!waited)
        log.info(
          { key },
          'waiting for the lease of the data folder: Redis is away or another producer holds it',
        );
      await sleep(RENEW_MS / 4, undefined, { signal: this.#stopping.signal });
    }
    this.#loop = this.#keep();
  }

  /** Gives the lease back, so that the next producer need not wait. */
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
        this.#deps.log.debug({ reason: asError(error).message }, 'the lease cannot be renewed now');
      }
    }
  }

  async #renew(): Promise<boolean> {
    const askedAt = performance.now();
    const { redis, key } = this.#deps;
    const isOurs = (await redis.eval(RENEW, 1, key, this.#token, LIFETIME_MS)) === 1;
    if (isOurs) this.#renewedAt = askedAt;
    return isOurs;
  }
}
