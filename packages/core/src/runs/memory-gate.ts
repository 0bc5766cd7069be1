/** Stops admission before Redis is full, so that workers can always write their results. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { infoNumber } from '../redis/info.ts';
import type { Credits } from './credits.ts';

/** Shares of `maxmemory` at which admission stops and resumes; they differ so that it does not oscillate. */
const CLOSE_AT = 0.7;
const REOPEN_AT = 0.6;

/** Maximum share of `maxmemory` that one producer uses, whatever its budget. */
const BUDGET_SHARE = 0.5;

const CHECK_INTERVAL_MS = 1000;

/** What a gate works with. */
export interface MemoryGateDeps {
  redis: Redis;
  credits: Credits;
  log: Logger;
}

/** Checks once per second; nothing changes while Redis is unreachable. No `maxmemory` means never full. */
export class MemoryGate {
  readonly #deps: MemoryGateDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: MemoryGateDeps) {
    this.#deps = deps;
  }

  /** Resolves after the first check; later checks run in the background. */
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
      log.debug({ reason: asError(error).message }, 'the memory of Redis cannot be read');
    }
  }
}
