/** Watches how full Redis is and closes the credits in time, so that workers can always write their results; the producer runs one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { infoNumber } from '../redis/info.ts';
import type { Credits } from './credits.ts';

/** Share of `maxmemory` at which no more rows are admitted, and at which they are again: apart, so that it does not flutter. */
const CLOSE_AT = 0.7;
const REOPEN_AT = 0.6;

/** Most of `maxmemory` that one producer may plan to use, whatever its budget says. */
const BUDGET_SHARE = 0.5;

const CHECK_INTERVAL_MS = 1000;

/** What a gate works with. */
export interface MemoryGateDeps {
  redis: Redis;
  credits: Credits;
  log: Logger;
}

/** Asks Redis once a second. While Redis does not answer, everything stays as it is. A Redis without `maxmemory` is never full. */
export class MemoryGate {
  readonly #deps: MemoryGateDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: MemoryGateDeps) {
    this.#deps = parts;
  }

  /** Looks once, then keeps looking. */
  async start(): Promise<void> {
    await this.#check();
    this.#loop = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #watch(): Promise<void> {
    for (;;) {
      await sleep(CHECK_INTERVAL_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      await this.#check();
    }
  }

  async #check(): Promise<void> {
    const { redis, credits, log } = this.#deps;
    try {
      const info = await redis.info('memory');
      const max = infoNumber(info, 'maxmemory');
      if (max === 0) {
        credits.cap(Number.POSITIVE_INFINITY);
        credits.open();
        return;
      }
      credits.cap(BUDGET_SHARE * max);
      const share = infoNumber(info, 'used_memory') / max;
      if (share >= CLOSE_AT && !credits.isClosed) {
        log.warn({ percent: Math.round(100 * share) }, 'Redis is nearly full; no rows are admitted');
        credits.close();
      } else if (share <= REOPEN_AT && credits.isClosed) {
        log.info({ percent: Math.round(100 * share) }, 'Redis has room again; rows are admitted');
        credits.open();
      }
    } catch (error) {
      log.debug({ reason: asError(error).message }, 'Redis does not say how full it is');
    }
  }
}
