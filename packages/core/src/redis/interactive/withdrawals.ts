/** The worker's record of withdrawn parts; its interactive work checks it before and during each part. */

import { asError, quote } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Keys } from '../keys.ts';

/** A part may be withdrawn before its message reaches this worker, so withdrawals are kept for this time. */
const REMEMBER_MS = 60_000;

/** What the record works with. */
export interface WithdrawalsDeps {
  /**
   * Separate connection: it can run no other commands. Producers count these subscribers to know the number
   * of workers.
   */
  subscriber: Redis;
  keys: Keys;
  /** Name of the model of this worker. */
  model: string;
  /** Id of the taker of this model in this worker process: a subscription to its channel shows others that it lives. */
  worker: string;
  /** Whether it is the first taker of its process, by which the process is counted. */
  isFirst: boolean;
  log: Logger;
}

/** A part that is being done. */
export interface WatchedPart {
  /** Aborted when the part is withdrawn or its deadline passes. */
  readonly signal: AbortSignal;
  /** Stops watching; called when the part is done. */
  end(): void;
}

/** Subscribes to the withdrawals of all producers for one model. */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps;
  readonly #watched = new Map<string, AbortController>();
  /** Withdrawn parts and the time of withdrawal, oldest first. */
  readonly #withdrawn = new Map<string, number>();

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps;
  }

  /** Subscribes, now or once Redis is reachable. */
  start(): void {
    const { subscriber, keys, model, worker, isFirst, log } = this.#deps;
    const withdrawals = keys.withdrawals(model);
    subscriber.on('message', (channel: string, message: string) => {
      if (channel !== withdrawals) return;
      const parts = partsOf(message);
      if (parts === null) log.warn({ message: quote(message, 100) }, 'unreadable message of withdrawn texts');
      else this.#withdraw(parts);
    });
    subscriber
      .subscribe(withdrawals, keys.alive(worker), ...(isFirst ? [keys.laneWorkers] : []))
      .catch((error) => log.debug({ reason: asError(error).message }, 'subscribing to withdrawals failed'));
  }

  /** True when the part is withdrawn. */
  has(part: string): boolean {
    return this.#withdrawn.has(part);
  }

  /** Watches a part until it is done. @param remainingMs time until its deadline */
  watch(part: string, remainingMs: number): WatchedPart {
    const controller = new AbortController();
    const expire = () => controller.abort(new Error('the deadline has passed'));
    const timer = remainingMs > 0 ? setTimeout(expire, remainingMs) : undefined;
    if (timer === undefined) expire();
    else if (this.has(part)) controller.abort(withdrawn());
    this.#watched.set(part, controller);
    return {
      signal: controller.signal,
      end: () => {
        clearTimeout(timer);
        // The part may have been sent again and be watched twice.
        if (this.#watched.get(part) === controller) this.#watched.delete(part);
      },
    };
  }

  /** Leaves the channel, so that producers do not count this worker any more; its process still shows that it lives. */
  leave(): void {
    const { subscriber, keys, model } = this.#deps;
    // Not awaited: a Redis that hangs must not delay the end.
    if (subscriber.status === 'ready')
      subscriber.unsubscribe(keys.withdrawals(model), keys.laneWorkers).catch(() => {});
  }

  #withdraw(parts: readonly string[]): void {
    const now = performance.now();
    for (const [part, at] of this.#withdrawn) {
      if (now - at < REMEMBER_MS) break;
      this.#withdrawn.delete(part);
    }
    for (const part of parts) {
      this.#withdrawn.set(part, now);
      this.#watched.get(part)?.abort(withdrawn());
    }
  }
}

function withdrawn(): Error {
  return new Error('the part was withdrawn');
}

/** Ids of parts, or `null` if the message is not a JSON array of strings. */
function partsOf(message: string): string[] | null {
  try {
    const parts: unknown = JSON.parse(message);
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : null;
  } catch {
    return null;
  }
}
