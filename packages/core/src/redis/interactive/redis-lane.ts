/**
 * The interactive lane over Redis; the producer has one.
 *
 * A call is cut into parts (`parts.ts`), parts travel in jobs of the interactive queue (`departures.ts`), any worker does
 * them and publishes its answers on this producer's channel. A message that is published while the channel has no listener is
 * gone, so whenever the subscription is new, everything that waits is asked again; an answer that comes twice counts once.
 *
 * A part is open until it is answered or its call has failed. A part whose worker ended over it (`lost`) is asked again text by
 * text, each alone in its job, so that a text that ends workers takes no other with it.
 */

import { randomUUID } from 'node:crypto';
import {
  asError,
  EmbedmillError,
  quote,
  RequestError,
  type TextInput,
  type TextToken,
  UNTREATED,
  UnavailableError,
} from '@embedmill/contract';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { vectorFingerprint } from '../batch/fingerprint.ts';
import type { RedisClock } from '../clock.ts';
import { isRedisFault } from '../faults.ts';
import type { Keys } from '../keys.ts';
import type { JobQueue } from '../queue/types.ts';
import { Admission } from './admission.ts';
import { Call, type OpenPart } from './call.ts';
import type { InteractiveJob, PartWork } from './job.ts';
import { JobPacker } from './job-packer.ts';
import { decodeAnswer, type PartAnswer } from './message.ts';
import { ModelRegistry } from './models.ts';
import type { EmbedAnswer, EmbedTerms, InteractiveLane, ModelDescription } from './types.ts';
import { Watch } from './watch.ts';

/** What can become of a call, for metrics. */
export const CALL_OUTCOMES = ['answered', 'cancelled', 'expired', 'refused', 'failed'] as const;

/** A call that is over. */
export interface SettledCall {
  /** `cancelled`: its caller left. `expired`: its deadline passed. `refused`: there were too many texts in flight. */
  outcome: (typeof CALL_OUTCOMES)[number];
  texts: number;
  seconds: number;
}

/** What the lane works with. */
export interface RedisLaneDeps {
  /** For short questions. */
  redis: Redis;
  /** Of its own: a connection that listens can do nothing else. */
  subscriber: Redis;
  queue: Pick<JobQueue<InteractiveJob>, 'enqueue' | 'remove'>;
  keys: Keys;
  clock: RedisClock;
  /** Name of the model when a call names none. */
  model: string;
  /** Texts in flight at a time. */
  maxTexts: number;
  /** Told about every call when it is over. */
  onSettled?: (call: SettledCall) => void;
  log: Logger;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Parts of one call that are under way at a time, at least; a large fleet gets more. So a call of thousands of texts leaves room
 * for others between its parts: they wait for a few dozen of its texts, not for all.
 */
const MIN_WINDOW = 4;
const WINDOW_PER_WORKER = 2;

/** Workers that may end over a text that travels alone, before the text is to blame. */
const MAX_LOSSES = 2;

/** Pause before a part that a worker handed back is asked again. */
const HAND_BACK_MS = 50;

/** What a caller may say about its call. */
interface CallOptions {
  model?: string | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** @see InteractiveLane */
export class RedisInteractiveLane implements InteractiveLane {
  readonly #deps: RedisLaneDeps;
  readonly #id = randomUUID();
  readonly #channel: string;
  readonly #admission: Admission;
  readonly #packer: JobPacker;
  readonly #models: ModelRegistry;
  readonly #watch: Watch;
  readonly #open = new Map<string, OpenPart>();
  #isStopped = false;

  constructor(parts: RedisLaneDeps) {
    const { redis, subscriber, queue, keys, clock, maxTexts } = parts;
    this.#deps = parts;
    this.#channel = keys.answers(this.#id);
    this.#admission = new Admission(maxTexts);
    this.#packer = new JobPacker({
      queue,
      clock,
      producer: this.#id,
      onRefused: (refused, error) => this.#failAll(refused, error),
    });
    this.#models = new ModelRegistry({ redis, keys });
    this.#watch = new Watch({
      redis,
      subscriber,
      keys,
      onHopeless: (error) => this.#failAll(this.#open.values(), error),
    });
  }

  /** Listens for answers, now or as soon as Redis is there. */
  start(): void {
    const { subscriber } = this.#deps;
    subscriber.on('messageBuffer', (_channel: Buffer, bytes: Buffer) => this.#receive(bytes));
    const listen = () => void this.#listen();
    if (subscriber.status === 'ready') listen();
    subscriber.on('ready', listen);
  }

  /** Ends every call. */
  stop(): void {
    this.#isStopped = true;
    this.#failAll(this.#open.values(), new UnavailableError('unavailable', 'the producer is stopping'));
  }

  /** Texts that wait for their answer. */
  get textsInFlight(): number {
    return this.#admission.inFlight;
  }

  async embed(texts: readonly TextInput[], terms: EmbedTerms): Promise<EmbedAnswer> {
    const { precision, truncate, treatment = UNTREATED, chunkSpans = false, ...options } = terms;
    const work = { kind: 'embed', precision, truncate, treatment, chunkSpans } as const;
    const call = await this.#call(texts, work, options);
    const answer = call.answer();
    const fingerprintOf = (model: string) => vectorFingerprint(model, treatment);
    if (call.hasVectors) return { ...answer, fingerprint: fingerprintOf(answer.fingerprint) };
    const { dim, fingerprint } = await this.model();
    const vectors = new Float32Array(texts.length * dim);
    return { ...answer, dim, fingerprint: fingerprintOf(fingerprint), vectors };
  }

  async tokenize(
    texts: readonly string[],
    { specialTokens }: { specialTokens: boolean },
  ): Promise<TextToken[][]> {
    const { tokens } = await this.#call(texts, { kind: 'tokenize', specialTokens }, {});
    return tokens;
  }

  async model(): Promise<ModelDescription> {
    const glanced = this.#models.glance();
    const known = glanced.size > 0 ? glanced : await this.#read();
    return known.get(this.#deps.model) ?? [...known.values()].at(-1)!;
  }

  async #call(texts: readonly TextInput[], work: PartWork, options: CallOptions): Promise<Call> {
    const startedAt = performance.now();
    let outcome: SettledCall['outcome'] = 'answered';
    try {
      return await this.#answered(texts, work, options);
    } catch (error) {
      outcome = outcomeOf(error, options.signal);
      throw error;
    } finally {
      const seconds = (performance.now() - startedAt) / 1000;
      this.#deps.onSettled?.({ outcome, texts: texts.length, seconds });
    }
  }

  /** Sends texts on their way and waits until every one is answered. */
  async #answered(
    texts: readonly TextInput[],
    work: PartWork,
    { model = this.#deps.model, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions,
  ): Promise<Call> {
    signal?.throwIfAborted();
    if (this.#isStopped) throw new UnavailableError('unavailable', 'the producer is stopping');
    await this.#assertKnown(model);
    // It may have been aborted meanwhile, and says so only once.
    signal?.throwIfAborted();
    this.#admission.enter(texts.length);
    const call = new Call({ texts, work, model, deadline: this.#deps.clock.now() + timeoutMs });
    const timer = setTimeout(() => call.fail(deadlineExceeded(timeoutMs)), timeoutMs);
    const onAbort = () => call.fail(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    let isAnswered = false;
    try {
      this.#sendMore(call);
      if (texts.length > 0) await call.settled;
      isAnswered = true;
      return call;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#admission.leave(texts.length, isAnswered);
      this.#withdraw(call);
    }
  }

  /** Refuses at once what every worker would hand back until the deadline. */
  async #assertKnown(model: string): Promise<void> {
    const glanced = this.#models.glance();
    // The first worker may be here before its announcement.
    if (glanced.has(model) || (glanced.size === 0 && model === this.#deps.model)) return;
    const known = await this.#read();
    if (known.has(model)) return;
    const names = [...known.keys()];
    throw new RequestError(
      'unknown-model',
      `no worker has the model ${quote(model)}; expected ${names.map((name) => quote(name)).join(' or ')}`,
      { facts: { models: names } },
    );
  }

  #read(): Promise<ReadonlyMap<string, ModelDescription>> {
    return this.#models.read().catch((error) => {
      throw asUnavailable(error);
    });
  }

  /** Sends as much of a call as may be under way. */
  #sendMore(call: Call): void {
    const window = Math.max(MIN_WINDOW, WINDOW_PER_WORKER * this.#watch.workers);
    const slices = call.unsent.splice(0, Math.max(0, window - call.open.size));
    if (slices.length > 0)
      this.#send(slices.map((slice) => ({ id: randomUUID(), call, losses: 0, ...slice })));
  }

  #send(parts: readonly OpenPart[]): void {
    for (const part of parts) {
      part.call.open.add(part);
      this.#open.set(part.id, part);
    }
    this.#packer.add(parts);
    if (this.#open.size > 0) this.#watch.start();
  }

  /** Asks again for a part, in other jobs than before. */
  #sendAgain(part: OpenPart, parts: readonly OpenPart[]): void {
    this.#packer.forget(part);
    this.#close(part);
    part.call.open.delete(part);
    this.#send(parts);
  }

  /** Tells the workers which texts of an ended call nobody waits for. */
  #withdraw(call: Call): void {
    if (call.open.size === 0) return;
    const ids = Array.from(call.open, ({ id }) => id);
    for (const part of call.open) {
      this.#packer.withdraw(part);
      this.#close(part);
    }
    call.open.clear();
    const { redis, keys, log } = this.#deps;
    redis
      .publish(keys.withdrawals, JSON.stringify(ids))
      .catch((error) => log.debug({ reason: asError(error).message }, 'texts cannot be withdrawn now'));
  }

  #close(part: OpenPart): void {
    this.#open.delete(part.id);
    if (this.#open.size === 0) this.#watch.stop();
  }

  #failAll(parts: Iterable<OpenPart>, error: unknown): void {
    for (const { call } of [...parts]) call.fail(asUnavailable(error));
  }

  async #listen(): Promise<void> {
    const { subscriber, log } = this.#deps;
    try {
      await subscriber.subscribe(this.#channel);
      // Answers that were published while nobody listened are gone.
      for (const part of [...this.#open.values()]) this.#sendAgain(part, [part]);
    } catch (error) {
      // The connection broke again; the next `ready` comes back here.
      log.debug({ reason: asError(error).message }, 'answers cannot be listened for now');
    }
  }

  #receive(bytes: Uint8Array): void {
    let answer: PartAnswer;
    try {
      answer = decodeAnswer(bytes);
    } catch (error) {
      this.#deps.log.error({ reason: asError(error).message }, 'an answer of a worker cannot be read');
      return;
    }
    const part = this.#open.get(answer.part);
    // Answered before, by another worker, or nobody waits any more.
    if (part === undefined) return;
    try {
      this.#take(part, answer);
    } catch (error) {
      part.call.fail(error);
    }
  }

  #take(part: OpenPart, answer: PartAnswer): void {
    const { call } = part;
    if (answer.kind === 'lost') this.#takeLoss(part);
    else if (answer.kind === 'handed-back') setTimeout(() => this.#askAgain(part), HAND_BACK_MS);
    else if (answer.kind === 'failed') {
      const { code, message, retryable, facts } = answer.error;
      call.fail(new EmbedmillError(code, message, { retryable, ...(facts === undefined ? {} : { facts }) }));
    } else {
      this.#packer.forget(part);
      this.#close(part);
      if (answer.kind === 'vectors') call.takeVectors(part, answer.result, answer.timings);
      else call.takeTokens(part, answer.tokens);
      this.#sendMore(call);
    }
  }

  #askAgain(part: OpenPart): void {
    if (this.#open.has(part.id)) this.#sendAgain(part, [part]);
  }

  #takeLoss(part: OpenPart): void {
    const { call, start, texts, losses } = part;
    if (losses < MAX_LOSSES) {
      const alone = texts.map((text, row) => ({
        id: randomUUID(),
        call,
        start: start + row,
        texts: [text],
        losses: losses + 1,
      }));
      this.#sendAgain(part, alone);
      return;
    }
    this.#packer.forget(part);
    this.#close(part);
    if (call.terms.work.kind === 'embed') {
      call.takeFailure(part, 'this text ended every worker that tried it');
      this.#sendMore(call);
    } else call.fail(new EmbedmillError('internal', 'a text ended every worker that tried to tokenize it'));
  }
}

function deadlineExceeded(timeoutMs: number): UnavailableError {
  return new UnavailableError('deadline-exceeded', `the texts were not embedded within ${timeoutMs} ms`);
}

function outcomeOf(error: unknown, signal: AbortSignal | undefined): SettledCall['outcome'] {
  if (signal?.aborted && error === signal.reason) return 'cancelled';
  const code = error instanceof EmbedmillError ? error.code : '';
  if (code === 'deadline-exceeded') return 'expired';
  return code === 'overloaded' ? 'refused' : 'failed';
}

function asUnavailable(error: unknown): unknown {
  return isRedisFault(error)
    ? new UnavailableError('redis-unavailable', 'Redis does not answer or takes no more', { cause: error })
    : error;
}
