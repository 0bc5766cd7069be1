/** Sends a worker's answers to the producers, each on its own channel; see docs/decisions/0050. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { encodeAnswer, type PartAnswer } from './message.ts';

/** Publishes answers. No subscriber is not an error: the producer has stopped or will send again. */
export class AnswerChannels {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Resolves when Redis has published the answer. */
  async send(producer: string, answer: PartAnswer): Promise<void> {
    await this.#redis.publish(this.#keys.answers(producer), encodeAnswer(answer));
  }
}
