/**
 * Packs parts of calls into messages, sends them and knows which are in flight; owned by `PartExchange`.
 *
 * Parts never wait for other parts: they are sent at the end of the event loop turn in which they were added, or once the
 * previous messages are in Redis. So the more calls there are, the more of them share a message.
 *
 * Decision: docs/decisions/0180.
 */

import { randomUUID } from 'node:crypto';
import type { RedisClock } from '../clock.ts';
import type { OpenPart } from './call.ts';
import type { CallLists } from './call-lists.ts';
import { type CallMessage, encodeCallMessage } from './call-message.ts';
import { charsOf, MAX_CHARS, MAX_TEXTS } from './split-call.ts';

/** What a sender works with. */
export interface MessageSenderDeps {
  lists: CallLists;
  clock: RedisClock;
  /** Id of the producer whose channel gets the answers. */
  producer: string;
  /** Called when parts could not be sent. */
  onRejected: (parts: readonly OpenPart[], error: unknown) => void;
}

/** A message with open parts. */
export interface InFlightMessage {
  readonly id: string;
  readonly model: string;
  /** As sent; empty until then. */
  text: string;
  readonly open: Set<OpenPart>;
  /** The worker that has reported the message as its own. */
  holder: string | undefined;
  /** Checks of `FleetWatch` since it was last seen in its list or reported by its worker. */
  unseenChecks: number;
  /** Checks since the connection of its worker was last seen. */
  deadChecks: number;
}

/** Packs up to 16 texts for the same model into one message. */
export class MessageSender {
  readonly #deps: MessageSenderDeps;
  /** By id, oldest first. */
  readonly #inFlight = new Map<string, InFlightMessage>();
  readonly #messageOf = new Map<string, InFlightMessage>();
  #waiting: OpenPart[] = [];
  #isSending = false;

  constructor(deps: MessageSenderDeps) {
    this.#deps = deps;
  }

  /** Messages with open parts, oldest first. */
  get inFlight(): InFlightMessage[] {
    return [...this.#inFlight.values()];
  }

  /** Number of messages with open parts. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** Sends these parts as soon as possible. */
  add(parts: readonly OpenPart[]): void {
    this.#waiting.push(...parts);
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#sendWaiting());
  }

  /** Records that a part is answered. */
  settle(part: OpenPart): void {
    this.#close(part);
  }

  /** Takes a part back; a message without any open part is removed from its list, as there may be no worker to take it. */
  takeBack(part: OpenPart): void {
    const message = this.#close(part);
    if (message?.open.size === 0 && message.holder === undefined)
      this.#deps.lists.remove(message.model, message.text).catch(() => {});
  }

  /** Records that a worker has reported messages as its own. */
  hear(worker: string, messages: readonly string[]): void {
    for (const id of messages) {
      const message = this.#inFlight.get(id);
      if (message === undefined) continue;
      if (message.holder !== worker) message.deadChecks = 0;
      message.holder = worker;
      message.unseenChecks = 0;
    }
  }

  async #sendWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const parts = this.#waiting.filter((part) => part.call.open.has(part));
      this.#waiting = [];
      const sending = Array.from(this.#pack(parts), ([model, messages]) =>
        this.#deps.lists.push(model, messages),
      );
      await Promise.all(sending).catch((error) => this.#deps.onRejected(parts, error));
    }
    this.#isSending = false;
  }

  /** Returns encoded messages by model. */
  #pack(parts: readonly OpenPart[]): Map<string, string[]> {
    const { clock, producer } = this.#deps;
    const packed: { inFlight: InFlightMessage; message: CallMessage; texts: number; chars: number }[] = [];
    const unfilled = new Map<string, (typeof packed)[number]>();
    for (const part of parts) {
      const { model, work, deadline, trace } = part.call.request;
      const texts = part.texts.length;
      const chars = part.texts.reduce((sum, text) => sum + charsOf(text), 0);
      // A part whose worker crashed is alone in its message.
      const isSuspect = part.losses > 0;
      let last = isSuspect ? undefined : unfilled.get(model);
      if (last === undefined || last.texts + texts > MAX_TEXTS || last.chars + chars > MAX_CHARS) {
        const id = randomUUID();
        last = {
          inFlight: {
            id,
            model,
            text: '',
            open: new Set(),
            holder: undefined,
            unseenChecks: 0,
            deadChecks: 0,
          },
          message: { id, producer, enqueuedAt: clock.now(), parts: [] },
          texts: 0,
          chars: 0,
        };
        packed.push(last);
        if (!isSuspect) unfilled.set(model, last);
      }
      const { fingerprint } = part.call;
      last.message.parts.push({
        id: part.id,
        texts: part.texts,
        work,
        deadline,
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(trace === undefined ? {} : { trace }),
      });
      last.inFlight.open.add(part);
      last.texts += texts;
      last.chars += chars;
      this.#messageOf.set(part.id, last.inFlight);
    }
    const byModel = new Map<string, string[]>();
    for (const { inFlight, message } of packed) {
      inFlight.text = encodeCallMessage(message);
      this.#inFlight.set(inFlight.id, inFlight);
      const own = byModel.get(inFlight.model);
      if (own === undefined) byModel.set(inFlight.model, [inFlight.text]);
      else own.push(inFlight.text);
    }
    return byModel;
  }

  #close(part: OpenPart): InFlightMessage | undefined {
    const message = this.#messageOf.get(part.id);
    if (message === undefined) return undefined;
    this.#messageOf.delete(part.id);
    message.open.delete(part);
    if (message.open.size === 0) this.#inFlight.delete(message.id);
    return message;
  }
}
