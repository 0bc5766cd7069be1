/** Hears which interactive texts nobody waits for any more; the interactive work asks it before and during each part. */

import { asError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Keys } from '../keys.ts';

/** A part may be withdrawn before its job reaches this worker; so long it is remembered. */
const REMEMBER_MS = 60_000;

/** What it works with. */
export interface WithdrawalsDeps {
  /** Of its own: a connection that listens can do nothing else. Producers count these listeners to know of a worker. */
  subscriber: Redis;
  keys: Keys;
  log: Logger;
}

/** Somebody's wait for one part. */
export interface Wait {
  /** Aborted when nobody waits any more, or when the time is over. */
  readonly signal: AbortSignal;
  /** The part is done. */
  end(): void;
}

/** Listens on the channel of all workers. */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;
  readonly #waits = new Map<string, AbortController>();
  /** Withdrawn parts and when, oldest first. */
  readonly #withdrawn = new Map<string, number>();

  constructor(parts: WithdrawalsDeps) {
    this.#deps = parts;
  }

  /** Listens from now on, or from when Redis is there. */
  start(): void {
    const { subscriber, keys, log } = this.#deps;
    subscriber.on('message', (_channel: string, ids: string) => this.#withdraw(JSON.parse(ids)));
    subscriber
      .subscribe(keys.withdrawals)
      .catch((error) => log.debug({ reason: asError(error).message }, 'withdrawals cannot be listened for'));
  }

  /** Whether nobody waits for a part. */
  has(part: string): boolean {
    return this.#withdrawn.has(part);
  }

  /** Watches over a part while it is done. */
  watch(part: string, remainingMs: number): Wait {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error('the time is over')), remainingMs);
    this.#waits.set(part, controller);
    return {
      signal: controller.signal,
      end: () => {
        clearTimeout(timer);
        this.#waits.delete(part);
      },
    };
  }

  #withdraw(parts: readonly string[]): void {
    const now = performance.now();
    for (const [part, at] of this.#withdrawn) {
      if (now - at < REMEMBER_MS) break;
      this.#withdrawn.delete(part);
    }
    for (const part of parts) {
      this.#withdrawn.set(part, now);
      this.#waits.get(part)?.abort(new Error('nobody waits any more'));
    }
  }
}
