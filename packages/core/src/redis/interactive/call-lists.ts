/** The lists of interactive calls in Redis, one per model: producers append messages, workers take them. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { decodeCallMessage } from './call-message.ts';

/** Time after which a list without new messages expires: longer than the maximum deadline of a call. */
const LIFETIME_MS = 660_000;

/** Maximum characters of a message that is looked up; larger ones, with one huge text, would be sent again for it. */
const MAX_LOOKUP_CHARS = 64 * 1024;

/**
 * Appends messages. KEYS 1 list; ARGV 1 lifetime in milliseconds, then the messages. One step, so that no list remains
 * when its producer and all workers have ended.
 */
const PUSH = `
for i = 2, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
`;

/** A connection with the script. */
type ListRedis = Redis & {
  embedmillPushCalls(list: string, lifetimeMs: number, ...messages: string[]): Promise<number>;
};

/** The producer's side. */
export class CallLists {
  readonly #redis: ListRedis;
  readonly #keys: Keys;

  /** @param redis a `bulk` connection */
  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    redis.defineCommand('embedmillPushCalls', { lua: PUSH, numberOfKeys: 1 });
    this.#redis = redis as ListRedis;
    this.#keys = keys;
  }

  /** Appends encoded messages to the list of a model. @throws a Redis fault */
  async push(model: string, messages: readonly string[]): Promise<void> {
    await this.#redis.embedmillPushCalls(this.#keys.calls(model), LIFETIME_MS, ...messages);
  }

  /** Whether a message is in its list, near the head; for a huge one, whether any is. @throws a Redis fault */
  async has(model: string, message: string): Promise<boolean> {
    if (message.length > MAX_LOOKUP_CHARS) return (await this.length(model)) > 0;
    return (await this.#redis.lpos(this.#keys.calls(model), message)) !== null;
  }

  /** Removes a message unless a worker has taken it. @throws a Redis fault */
  async remove(model: string, message: string): Promise<void> {
    await this.#redis.lrem(this.#keys.calls(model), 1, message);
  }

  /** Number of waiting messages. @throws a Redis fault */
  async length(model: string): Promise<number> {
    return this.#redis.llen(this.#keys.calls(model));
  }

  /** Time at which the oldest waiting message was sent, according to Redis; `null` without one. @throws a Redis fault */
  async oldestAt(model: string): Promise<number | null> {
    const oldest = await this.#redis.lindex(this.#keys.calls(model), 0);
    return oldest === null ? null : (decodeCallMessage(oldest)?.enqueuedAt ?? null);
  }
}
