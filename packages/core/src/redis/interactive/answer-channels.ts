/** Sends a worker's answers to the producers, each on its own channel; see docs/decisions/0180. */

import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';
import { encodeAnswerMessage, type PartAnswer } from './answer-message.ts';

/** Answers of one message. */
interface Outgoing {
  answers: PartAnswer[];
  published: Promise<void>;
}

/** Publishes answers. No subscriber is not an error: the producer has stopped or will send again. */
export class AnswerChannels {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #outgoing = new Map<string, Outgoing>();

  constructor({ redis, keys }: { redis: Redis; keys: Keys }) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Resolves when Redis has published the answer. Answers given at the same time share a message. */
  send(producer: string, answer: PartAnswer): Promise<void> {
    const waiting = this.#outgoing.get(producer);
    if (waiting !== undefined) {
      waiting.answers.push(answer);
      return waiting.published;
    }
    const answers = [answer];
    const published = Promise.resolve().then(async () => {
      this.#outgoing.delete(producer);
      await this.#redis.publish(
        this.#keys.answers(producer),
        encodeAnswerMessage({ kind: 'answers', answers }),
      );
    });
    this.#outgoing.set(producer, { answers, published });
    return published;
  }

  /** Tells a producer that this worker has these of its messages; lost when Redis is unreachable. */
  reportHeld(producer: string, worker: string, messages: string[]): void {
    if (this.#redis.status !== 'ready') return;
    this.#redis
      .publish(this.#keys.answers(producer), encodeAnswerMessage({ kind: 'holding', worker, messages }))
      .catch(() => {});
  }
}
