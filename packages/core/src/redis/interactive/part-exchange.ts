/**
 * The parts of all calls of one producer between Redis and their answers; the interactive lane owns one.
 *
 * A part is open from the moment it is sent until it is answered or its call has ended. It goes out through
 * `MessageSender`; answers come back as messages on the producer's channel. A message published while the channel
 * has no subscriber is lost, so after every new subscription all open parts are sent again; the second of two
 * answers is ignored.
 *
 * Only the producer keeps what is in flight, so a worker that dies leaves nothing behind: `FleetWatch` notices, and its
 * parts are sent again text by text, each alone in its message, so that a text that crashes workers fails alone.
 */

import { randomUUID } from 'node:crypto';
import { asError, EmbedmillError } from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { asUnavailable } from '../../process/faults.ts';
import type { RedisClock } from '../clock.ts';
import type { Keys } from '../keys.ts';
import { type AnswerMessage, decodeAnswerMessage, type PartAnswer } from './answer-message.ts';
import type { Call, OpenPart } from './call.ts';
import { CallLists } from './call-lists.ts';
import { FleetWatch } from './fleet-watch.ts';
import { MessageSender } from './message-sender.ts';

/** What the exchange of parts works with. */
export interface PartExchangeDeps {
  /** Connection for short commands. */
  redis: Redis;
  /** Separate `bulk` connection for messages of calls: short commands never wait behind their texts. */
  sender: Redis;
  /** Separate connection for the subscription: it can run no other commands. */
  subscriber: Redis;
  keys: Keys;
  clock: RedisClock;
  log: Logger;
}

/**
 * Minimum number of parts of one call that are open at a time; a large fleet gets more. So a call of
 * thousands of texts leaves room for others between its parts: they wait for a few dozen of its texts, not
 * for all.
 */
const MIN_WINDOW = 4;
const WINDOW_PER_WORKER = 2;

/** Crashes of workers over a text that is alone in its message, before the text fails. */
const MAX_LOSSES = 2;

/** Delay before a part that a worker handed back, or answered with another model, is sent again. */
const HAND_BACK_MS = 50;

/** Sends parts, takes their answers and withdraws those of ended calls. */
export class PartExchange {
  readonly #deps: PartExchangeDeps;
  readonly #channel: string;
  readonly #lists: CallLists;
  readonly #sender: MessageSender;
  readonly #watch: FleetWatch;
  readonly #open = new Map<string, OpenPart>();

  constructor(deps: PartExchangeDeps) {
    const { redis, sender, subscriber, keys, clock } = deps;
    const producer = randomUUID();
    this.#deps = deps;
    this.#channel = keys.answers(producer);
    this.#lists = new CallLists({ redis: sender, keys });
    this.#sender = new MessageSender({
      lists: this.#lists,
      clock,
      producer,
      onRejected: (parts, error) => failCalls(parts, error),
    });
    this.#watch = new FleetWatch({
      redis,
      subscriber,
      keys,
      lists: this.#lists,
      inFlight: () => this.#sender.inFlight,
      onUnavailable: (error, model) => this.#failModel(error, model),
      onLost: ({ open }, cause) => {
        for (const part of [...open]) {
          if (cause === 'lost') this.#takeLoss(part);
          else this.#resend(part, [part]);
        }
      },
    });
  }

  /** Subscribes to the answers, now or once Redis is reachable. */
  start(): void {
    const { subscriber } = this.#deps;
    subscriber.on('messageBuffer', (_channel: Buffer, bytes: Buffer) => this.#receive(bytes));
    const subscribe = () => void this.#subscribe();
    if (subscriber.status === 'ready') subscribe();
    subscriber.on('ready', subscribe);
  }

  /** Fails every call with open parts. */
  failAll(error: unknown): void {
    failCalls(this.#open.values(), error);
  }

  /** Messages of this producer with open parts, and the lists in which some of them wait. */
  get flow(): { inFlight: number; lists: CallLists } {
    return { inFlight: this.#sender.size, lists: this.#lists };
  }

  /** Sends as many unsent parts of a call as may be open at a time. */
  sendMore(call: Call): void {
    const window = Math.max(MIN_WINDOW, WINDOW_PER_WORKER * this.#watch.workersWith(call.request.model));
    const slices = call.unsent.splice(0, Math.max(0, window - call.open.size));
    if (slices.length > 0)
      this.#send(slices.map((slice) => ({ id: randomUUID(), call, losses: 0, ...slice })));
  }

  /** Takes the open parts of an ended call out of the lists, and tells the workers to skip them. */
  withdraw(call: Call): void {
    if (call.open.size === 0) return;
    const ids = Array.from(call.open, ({ id }) => id);
    for (const part of call.open) {
      this.#sender.takeBack(part);
      this.#close(part);
    }
    call.open.clear();
    const { redis, keys, log } = this.#deps;
    redis
      .publish(keys.withdrawals(call.request.model), JSON.stringify(ids))
      .catch((error) => log.debug({ reason: asError(error).message }, 'texts could not be withdrawn'));
  }

  #send(parts: readonly OpenPart[]): void {
    for (const part of parts) {
      part.call.open.add(part);
      this.#open.set(part.id, part);
    }
    this.#sender.add(parts);
    if (this.#open.size > 0) this.#watch.start();
  }

  #failModel(error: unknown, model: string | undefined): void {
    const parts = [...this.#open.values()];
    failCalls(model === undefined ? parts : parts.filter(({ call }) => call.request.model === model), error);
  }

  /** Replaces an open part by these parts, in new messages. */
  #resend(part: OpenPart, parts: readonly OpenPart[]): void {
    this.#sender.takeBack(part);
    this.#close(part);
    part.call.open.delete(part);
    this.#send(parts);
  }

  #close(part: OpenPart): void {
    this.#open.delete(part.id);
    if (this.#open.size === 0) this.#watch.stop();
  }

  async #subscribe(): Promise<void> {
    const { subscriber, log } = this.#deps;
    try {
      await subscriber.subscribe(this.#channel);
      // Answers published before the subscription are lost.
      for (const part of [...this.#open.values()]) this.#resend(part, [part]);
    } catch (error) {
      // The connection broke again; the next `ready` event subscribes again.
      log.debug({ reason: asError(error).message }, 'subscribing to the answers failed');
    }
  }

  #receive(bytes: Uint8Array): void {
    let message: AnswerMessage;
    try {
      message = decodeAnswerMessage(bytes);
    } catch (error) {
      this.#deps.log.error({ reason: asError(error).message }, 'unreadable answer from a worker');
      return;
    }
    if (message.kind === 'holding') {
      this.#sender.hear(message.worker, message.messages);
      return;
    }
    for (const answer of message.answers) {
      const part = this.#open.get(answer.part);
      // Answered before, or withdrawn.
      if (part === undefined) continue;
      try {
        this.#take(part, answer);
      } catch (error) {
        part.call.fail(error);
      }
    }
  }

  #take(part: OpenPart, answer: PartAnswer): void {
    const { call } = part;
    if (answer.kind === 'handed-back') this.#resendLater(part);
    else if (answer.kind === 'failed') {
      const { code, message, retryable, facts } = answer.error;
      call.fail(new EmbedmillError(code, message, { retryable, ...(facts === undefined ? {} : { facts }) }));
    } else if (answer.kind === 'vectors' && !call.takeVectors(part, answer.result, answer.timings)) {
      this.#resendLater(part);
    } else {
      this.#sender.settle(part);
      this.#close(part);
      if (answer.kind === 'tokens') call.takeTokens(part, answer.tokens);
      this.sendMore(call);
    }
  }

  #resendLater(part: OpenPart): void {
    setTimeout(() => {
      if (this.#open.has(part.id)) this.#resend(part, [part]);
    }, HAND_BACK_MS);
  }

  #takeLoss(part: OpenPart): void {
    const { call, start, texts, losses } = part;
    if (losses < MAX_LOSSES) {
      const singles = texts.map((text, row) => ({
        id: randomUUID(),
        call,
        start: start + row,
        texts: [text],
        losses: losses + 1,
      }));
      this.#resend(part, singles);
      return;
    }
    this.#sender.settle(part);
    this.#close(part);
    if (call.request.work.kind === 'embed') {
      call.takeFailure(part, 'this text crashed every worker that embedded it');
      this.sendMore(call);
    } else call.fail(new EmbedmillError('internal', 'a text crashed every worker that tokenized it'));
  }
}

function failCalls(parts: Iterable<OpenPart>, error: unknown): void {
  for (const { call } of [...parts]) call.fail(asUnavailable(error));
}
