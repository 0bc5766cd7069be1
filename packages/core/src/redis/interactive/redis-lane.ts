/**
 * The interactive lane on Redis; the producer has one.
 *
 * A call is admitted, split into parts (`split-call.ts`) and answered part by part (`part-exchange.ts`). It
 * ends with the last answer, at its deadline, when its caller leaves, or when no worker or no Redis is there
 * to answer it.
 */

import {
  EmbedmillError,
  quote,
  type TextInput,
  type TextToken,
  UNTREATED,
  UnavailableError,
} from '@embedmill/contract';
import { asUnavailable } from '../../process/faults.ts';
import { vectorFingerprint } from '../batch/fingerprint.ts';
import { FleetModels, unknownModel } from '../fleet/fleet-models.ts';
import type { QueueCounts, QueueState } from '../queue/types.ts';
import { Admission } from './admission.ts';
import { Call } from './call.ts';
import type { PartWork } from './call-message.ts';
import { countSubscribers } from './fleet-watch.ts';
import { ModelRegistry } from './models.ts';
import { PartExchange, type PartExchangeDeps } from './part-exchange.ts';
import { charsOf } from './split-call.ts';
import type { EmbedAnswer, EmbedCallOptions, InteractiveLane, ModelDescription } from './types.ts';

/** Every outcome of a call, for metrics. */
export const CALL_OUTCOMES = ['answered', 'cancelled', 'expired', 'refused', 'failed'] as const;

/** A call that is over. */
export interface SettledCall {
  /**
   * `cancelled`: its caller left. `expired`: its deadline passed. `refused`: too many texts were in flight.
   */
  outcome: (typeof CALL_OUTCOMES)[number];
  texts: number;
  seconds: number;
}

/** What the lane works with. */
export interface RedisLaneDeps extends PartExchangeDeps {
  /** Name of the default model. */
  model: string;
  /** Models of the connected workers. Default: read by the lane itself. */
  fleet?: Pick<FleetModels, 'assertLoaded'>;
  /** Maximum texts in flight. */
  maxTexts: number;
  /** Called after every call. */
  onSettled?: (call: SettledCall) => void;
  /** Returns the trace context of the caller (W3C `traceparent`). Default: without tracing. */
  traceContext?: () => string | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Options that both kinds of calls share. */
interface CallOptions {
  model?: string | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** @see InteractiveLane */
export class RedisInteractiveLane implements InteractiveLane, QueueState {
  readonly #deps: RedisLaneDeps;
  readonly #admission: Admission;
  readonly #models: ModelRegistry;
  readonly #fleet: Pick<FleetModels, 'assertLoaded'>;
  readonly #parts: PartExchange;
  #isStopped = false;

  constructor(deps: RedisLaneDeps) {
    this.#deps = deps;
    this.#admission = new Admission(deps.maxTexts);
    this.#models = new ModelRegistry(deps);
    this.#fleet = deps.fleet ?? new FleetModels(deps);
    this.#parts = new PartExchange(deps);
  }

  /** Accepts answers, now or once Redis is reachable. */
  start(): void {
    this.#parts.start();
  }

  /** Fails every call. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.failAll(stopping());
  }

  /** Texts that wait for their answer. */
  get textsInFlight(): number {
    return this.#admission.inFlight;
  }

  /** Messages that wait in Redis, and messages of this producer that workers have. */
  async counts(): Promise<QueueCounts> {
    const { inFlight, lists } = this.#parts.flow;
    const lengths = await Promise.all(this.#modelNames().map((model) => lists.length(model)));
    const waiting = lengths.reduce((sum, length) => sum + length, 0);
    return { waiting, active: Math.max(0, inFlight - waiting), delayed: 0, failed: 0 };
  }

  async oldestWaitingMs(): Promise<number> {
    const { lists } = this.#parts.flow;
    const times = await Promise.all(this.#modelNames().map((model) => lists.oldestAt(model)));
    const now = this.#deps.clock.now();
    return Math.max(0, ...times.map((at) => (at === null ? 0 : now - at)));
  }

  async workers(): Promise<number> {
    const { redis, keys } = this.#deps;
    const [processes = 0, ...takers] = await countSubscribers(redis, [
      keys.laneWorkers,
      ...this.#modelNames().map((model) => keys.withdrawals(model)),
    ]);
    // Workers of older versions have one model and are not in the first channel.
    return processes > 0 ? processes : takers.reduce((sum, count) => sum + count, 0);
  }

  async embed(texts: readonly TextInput[], options: EmbedCallOptions): Promise<EmbedAnswer> {
    const { precision, truncate, treatment = UNTREATED, chunkSpans = false, ...shared } = options;
    const work = { kind: 'embed', precision, truncate, treatment, chunkSpans } as const;
    const call = await this.#call(texts, work, shared);
    const { treatment: revision, ...answer } = call.answer();
    const fingerprintOf = (model: string) => vectorFingerprint(model, treatment, revision);
    if (call.fingerprint !== undefined) return { ...answer, fingerprint: fingerprintOf(call.fingerprint) };
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
    const cached = this.#models.cached();
    const known = cached.size > 0 ? cached : await this.#readModels();
    return known.get(this.#deps.model) ?? [...known.values()].at(-1)!;
  }

  models(): Promise<ReadonlyMap<string, ModelDescription>> {
    return this.#models.read().catch(() => this.#models.cached());
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

  /** Sends the texts and resolves once every one is answered. */
  async #answered(
    texts: readonly TextInput[],
    work: PartWork,
    { model = this.#deps.model, timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions,
  ): Promise<Call> {
    signal?.throwIfAborted();
    if (this.#isStopped) throw stopping();
    await this.#assertKnown(model);
    // It may have been aborted in the meantime; the event would not fire again.
    signal?.throwIfAborted();
    const chars = texts.reduce((sum, text) => sum + charsOf(text), 0);
    this.#admission.enter(texts.length, chars);
    const { clock, traceContext } = this.#deps;
    const call = new Call({ texts, work, model, deadline: clock.now() + timeoutMs, trace: traceContext?.() });
    const timer = setTimeout(() => call.fail(deadlineExceeded(timeoutMs)), timeoutMs);
    const onAbort = () => call.fail(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    let isAnswered = false;
    try {
      this.#parts.sendMore(call);
      if (texts.length > 0) await call.settled;
      isAnswered = true;
      return call;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#admission.leave(texts.length, chars, isAnswered);
      this.#parts.withdraw(call);
    }
  }

  /** Rejects at once what no worker would take. */
  async #assertKnown(model: string): Promise<void> {
    const cached = this.#models.cached();
    const isLoaded = await this.#fleet.assertLoaded(model);
    // The first worker may be connected before its model is announced.
    if (cached.has(model) || (cached.size === 0 && model === this.#deps.model)) return;
    const known = await this.#readModels();
    if (known.has(model)) return;
    // Redis may have lost the description, or the worker is about to announce it.
    if (isLoaded) {
      throw new UnavailableError(
        'model-loading',
        `the model ${quote(model)} is not announced yet; try again in a few seconds`,
      );
    }
    throw unknownModel(model, [...known.keys()]);
  }

  /** Names of the default model and of those that workers have announced. */
  #modelNames(): string[] {
    return [...new Set([this.#deps.model, ...this.#models.cached().keys()])];
  }

  #readModels(): Promise<ReadonlyMap<string, ModelDescription>> {
    return this.#models.read().catch((error) => {
      throw asUnavailable(error);
    });
  }
}

function stopping(): UnavailableError {
  return new UnavailableError('unavailable', 'the producer is stopping');
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
