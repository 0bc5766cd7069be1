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

/** The only policy under which a full Redis deletes nothing. */
const NO_EVICTION = 'noeviction';

const CHECK_INTERVAL_MS = 1000;

/** A sweep reads the names of all keys. */
const SWEEP_INTERVAL_MS = 5000;

/** What a gate works with. */
export interface MemoryGateDeps {
  redis: Redis;
  credits: Credits;
  /** Deletes what no producer fetches, while Redis is nearly full; returns the number of results. */
  makeRoom: () => Promise<number>;
  log: Logger;
}

/** Checks once per second; nothing changes while Redis is unreachable. No `maxmemory` means never full. */
export class MemoryGate {
  readonly #deps: MemoryGateDeps;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #sweepAt = 0;
  #policyFault: string | null = null;

  constructor(deps: MemoryGateDeps) {
    this.#deps = deps;
  }

  /** Why this Redis may delete keys of runs; `null` while it keeps them. */
  get policyFault(): string | null {
    return this.#policyFault;
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

  async #makeRoom(): Promise<void> {
    if (performance.now() < this.#sweepAt) return;
    this.#sweepAt = performance.now() + SWEEP_INTERVAL_MS;
    const { makeRoom, log } = this.#deps;
    const results = await makeRoom();
    if (results > 0) log.warn({ results }, 'results of producers that are gone were deleted to make room');
  }

  #checkPolicy(policy: string, maxBytes: number): void {
    const fault =
      policy === NO_EVICTION || maxBytes === 0
        ? null
        : `Redis has maxmemory-policy ${policy} and deletes batches when it is full; expected noeviction`;
    if (fault !== null && fault !== this.#policyFault) this.#deps.log.error(fault);
    this.#policyFault = fault;
  }

  async #check(): Promise<void> {
    const { redis, credits, log } = this.#deps;
    try {
      const info = await redis.info('memory');
      const max = infoNumber(info, 'maxmemory');
      this.#checkPolicy(/^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? NO_EVICTION, max);
      if (max === 0) {
        credits.cap(Number.POSITIVE_INFINITY);
        credits.open();
        return;
      }
      credits.cap(BUDGET_SHARE * max);
      const isFull = infoNumber(info, 'used_memory') / max >= REOPEN_AT;
      if (isFull) await this.#makeRoom();
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
