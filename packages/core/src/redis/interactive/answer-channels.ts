/** The worker's way to the producers: one channel for each. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { encodeAnswer, type PartAnswer } from './message.ts';

/** Publishes answers. Nobody listening is no error: the producer has ended, or will ask again. */
export class AnswerChannels {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Resolves when Redis has passed the answer on. */
  async send(producer: string, answer: PartAnswer): Promise<void> {
    await this.#redis.publish(this.#keys.answers(producer), encodeAnswer(answer));
  }
}
