/** Takes messages of interactive calls from the list of a model; each worker runs one. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError, quote } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { settledWithin, throttled } from '../../process/lifecycle/promises.ts';
import type { Keys } from '../keys.ts';
import { type CallMessage, decodeCallMessage } from './call-message.ts';

/** Blocking time of one read; shorter than the silence after which a `patient` connection is closed. */
const BLOCK_SECONDS = 5;

/** Pause after a Redis that is full, loading or read-only rejected a read. */
const PAUSE_MS = 1000;

/** Maximum wait for the last blocking read to end, which takes longer only if Redis hangs. */
const STOP_MS = 500;

/** Lifetime of the entry that ends a blocking read. */
const WAKE_LIFETIME_MS = 10_000;

/** What a taker works with. */
export interface CallTakerDeps {
  /** A separate `patient` connection: it is blocked while the list is empty. */
  blocking: Redis;
  /** Connection for short commands. */
  redis: Redis;
  keys: Keys;
  /** Name of the model of this worker. */
  model: string;
  /** Id of this worker process. */
  worker: string;
  /** Resolves when the worker has room for a message. */
  whenRoom: () => Promise<void>;
  take: (message: CallMessage) => void;
  log: Logger;
}

/** Reads one message at a time while there is room. */
export class CallTaker {
  readonly #deps: CallTakerDeps;
  readonly #stopping = new AbortController();
  readonly #warn: (error: Error) => void;
  #loop: Promise<void> | undefined;

  constructor(deps: CallTakerDeps) {
    this.#deps = deps;
    this.#warn = throttled(10_000, (error: Error) =>
      deps.log.warn({ reason: error.message }, 'interactive calls cannot be read; retrying'),
    );
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the blocking read; a message that it still returns is taken. */
  async stop(): Promise<void> {
    const { redis, keys, worker } = this.#deps;
    const wake = keys.wake(worker);
    this.#stopping.abort();
    // Not awaited: the connection waits for an unreachable Redis.
    redis
      .multi()
      .rpush(wake, '')
      .pexpire(wake, WAKE_LIFETIME_MS)
      .exec()
      .catch(() => {});
    await settledWithin([this.#loop ?? Promise.resolve()], STOP_MS);
    redis.unlink(wake).catch(() => {});
  }

  async #run(): Promise<void> {
    const { blocking, keys, model, worker, whenRoom } = this.#deps;
    const { signal } = this.#stopping;
    const [calls, wake] = [keys.calls(model), keys.wake(worker)];
    while (!signal.aborted) {
      await whenRoom();
      if (signal.aborted) return;
      try {
        const found = await blocking.blpop(calls, wake, BLOCK_SECONDS);
        if (found?.[0] === calls) this.#take(found[1]);
      } catch (error) {
        if (signal.aborted) return;
        this.#warn(asError(error));
        await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #take(text: string): void {
    const message = decodeCallMessage(text);
    if (message !== null) this.#deps.take(message);
    else this.#deps.log.warn({ message: quote(text, 100) }, 'unreadable interactive call');
  }
}
