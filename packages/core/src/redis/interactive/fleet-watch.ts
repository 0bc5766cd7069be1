/**
 * Checks, while calls wait, that workers and Redis are there to answer them and that no message is lost; owned by
 * `PartExchange`.
 *
 * A message waits in its list or is held by a worker, which reports it every half second. One that is seen in neither place
 * went to a connection that broke, or its worker crashed before its first report, or Redis lost its list.
 */

import { quote, UnavailableError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import type { CallLists } from './call-lists.ts';
import type { InFlightMessage } from './message-sender.ts';

const CHECK_INTERVAL_MS = 500;

/** Maximum wait for a worker to join: one may be restarting. */
const MAX_WAIT_FOR_WORKERS_MS = 1_500;

/** Maximum wait for Redis to be reachable again: it may be restarting. */
const MAX_WAIT_FOR_REDIS_MS = 2_500;

/** Checks after which a message that is nowhere, or whose worker is silent, is sent again: about three seconds. */
const MAX_UNSEEN_CHECKS = 6;

/** Checks after which a worker without a connection is dead: one whose connection broke is back within a second. */
const MAX_DEAD_CHECKS = 3;

/** What a watch works with. */
export interface FleetWatchDeps {
  redis: Redis;
  /** The connection on which answers arrive. */
  subscriber: Redis;
  keys: Keys;
  lists: CallLists;
  /** Messages with open parts, oldest first. */
  inFlight: () => readonly InFlightMessage[];
  /** Called when the wait for workers with a model is over, or the wait for Redis (without a model). */
  onUnavailable: (error: UnavailableError, model?: string) => void;
  /** Called for a message whose worker crashed (`lost`), or is alive and does nothing (`silent`). */
  onLost: (message: InFlightMessage, cause: 'lost' | 'silent') => void;
}

/**
 * Counts the subscribers of the channel to which every worker with a model subscribes. Redis notices a killed worker when
 * its connection breaks, long before a heartbeat expires.
 */
export class FleetWatch {
  readonly #deps: FleetWatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  /** Workers by model at the last check. */
  readonly #workers = new Map<string, number>();
  readonly #noWorkersSince = new Map<string, number>();
  #noRedisSince: number | undefined;

  constructor(deps: FleetWatchDeps) {
    this.#deps = deps;
  }

  /** Number of workers with a model at the last check. */
  workersWith(model: string): number {
    return this.#workers.get(model) ?? 0;
  }

  /** Starts checking; no effect while it is checking. */
  start(): void {
    this.#timer ??= setInterval(() => void this.#check(), CHECK_INTERVAL_MS);
  }

  /** Stops checking. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#noWorkersSince.clear();
    this.#noRedisSince = undefined;
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { subscriber, inFlight, onUnavailable } = this.#deps;
    const checkedAt = performance.now();
    try {
      const messages = inFlight();
      const [models, holders] = await Promise.all([
        this.#countWorkers(messages),
        this.#holders(messages),
        subscriber.ping(),
      ]);
      this.#noRedisSince = undefined;
      await this.#checkWorkers(models, checkedAt);
      await this.#checkMessages(messages, holders);
    } catch (cause) {
      this.#noRedisSince ??= checkedAt;
      if (performance.now() - this.#noRedisSince >= MAX_WAIT_FOR_REDIS_MS)
        onUnavailable(new UnavailableError('redis-unavailable', 'Redis is unreachable', { cause }));
    } finally {
      this.#isChecking = false;
    }
  }

  async #countWorkers(messages: readonly InFlightMessage[]): Promise<Map<string, number>> {
    const models = [...new Set(messages.map(({ model }) => model))];
    const counts = await countSubscribers(
      this.#deps.redis,
      models.map((model) => this.#deps.keys.withdrawals(model)),
    );
    return new Map(models.map((model, i) => [model, counts[i]!]));
  }

  /** Connected workers among those that hold messages. */
  async #holders(messages: readonly InFlightMessage[]): Promise<Set<string>> {
    const workers = [...new Set(messages.flatMap(({ holder }) => holder ?? []))];
    const counts = await countSubscribers(
      this.#deps.redis,
      workers.map((worker) => this.#deps.keys.alive(worker)),
    );
    return new Set(workers.filter((_, i) => counts[i]! > 0));
  }

  async #checkWorkers(models: ReadonlyMap<string, number>, checkedAt: number): Promise<void> {
    const { redis, keys, onUnavailable } = this.#deps;
    for (const model of this.#noWorkersSince.keys())
      if (!models.has(model)) this.#noWorkersSince.delete(model);
    for (const [model, workers] of models) {
      this.#workers.set(model, workers);
      if (workers > 0) {
        this.#noWorkersSince.delete(model);
        continue;
      }
      const since = this.#noWorkersSince.get(model) ?? checkedAt;
      this.#noWorkersSince.set(model, since);
      if (performance.now() - since < MAX_WAIT_FOR_WORKERS_MS) continue;
      const [older = 0] = await countSubscribers(redis, [keys.firstWithdrawals]);
      const reason =
        older > 0
          ? 'the connected workers are older than 0.2 and cannot take interactive calls of this producer; update them'
          : `no workers with the model ${quote(model)} are connected`;
      onUnavailable(new UnavailableError('no-workers', reason), model);
    }
  }

  async #checkMessages(messages: readonly InFlightMessage[], holders: ReadonlySet<string>): Promise<void> {
    const { lists, onLost } = this.#deps;
    // Messages leave a list in the order in which they were sent: behind one that waits, all wait.
    const waiting = new Set<string>();
    for (const message of messages) {
      const { holder, model, text } = message;
      if (message.open.size === 0 || text === '') continue;
      if (holder === undefined && (waiting.has(model) || (await lists.has(model, text)))) {
        waiting.add(model);
        message.unseenChecks = 0;
        continue;
      }
      message.unseenChecks += 1;
      message.deadChecks = holder === undefined || holders.has(holder) ? 0 : message.deadChecks + 1;
      if (message.deadChecks >= MAX_DEAD_CHECKS) onLost(message, 'lost');
      else if (message.unseenChecks >= MAX_UNSEEN_CHECKS)
        onLost(message, holder === undefined ? 'lost' : 'silent');
    }
  }
}

/** Number of subscribers of each channel. @throws a Redis fault */
export async function countSubscribers(redis: Redis, channels: readonly string[]): Promise<number[]> {
  if (channels.length === 0) return [];
  const reply = await redis.pubsub('NUMSUB', ...channels);
  return channels.map((_, i) => Number(reply[2 * i + 1]));
}
