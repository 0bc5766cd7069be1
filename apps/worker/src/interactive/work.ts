/**
 * Answers the messages of the interactive lane: embeds or tokenizes their parts and answers each as soon as it is finished.
 *
 * A part is held from the moment its message is taken until its answer is in Redis. Held parts wait here until a thread is
 * about to be free; parts that wait together leave together, as one pack, if the engine computes several texts at once
 * without changing their vectors.
 */

import {
  asError,
  EmbedmillError,
  type Precision,
  type RowOutcome,
  summarizeOutcomes,
  UNTREATED,
} from '@embedmill/contract';
import { encodeBatchResult } from '@embedmill/core/batch';
import { isRedisFault } from '@embedmill/core/process';
import type {
  AnswerChannels,
  CallMessage,
  PartAnswer,
  PartWork,
  RedisClock,
  Withdrawals,
} from '@embedmill/core/redis';
import type { Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import { retryUntil } from '../bulk/retry-until.ts';
import type { Glossaries } from '../glossaries.ts';
import { type EmbedTextsResult, type InferencePool, PIECES_PER_LANE } from '../inference/index.ts';
import type { PieceTimings } from '../inference/protocol.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { addThreadStep } from '../thread-step.ts';
import { charsOf, type HeldPart, MAX_PACK_TEXTS, packKeyOf, takePack } from './pack.ts';

/** Dependencies of `InteractiveWork`. */
export interface InteractiveWorkDeps {
  answers: AnswerChannels;
  /** Id of this worker process. */
  worker: string;
  pool: InferencePool;
  /** Whether the engine computes several texts together without changing their vectors. */
  packs: boolean;
  glossaries: Glossaries;
  /** Name of the model, and its name in the pool. */
  model: string;
  poolName: string | undefined;
  /** Returns the model fingerprint that results of a precision carry. */
  identityOf: (precision: Precision) => Promise<{ fingerprint: string }>;
  clock: RedisClock;
  withdrawals: Withdrawals;
  metrics: WorkerMetrics;
  tracing: Tracing;
  log: Logger;
}

/** Interval at which producers are told which messages this worker has. */
const REPORT_INTERVAL_MS = 500;

/** No message is taken while those that are held have this many characters; one huge text is taken alone. */
const MAX_HELD_CHARS = 1024 * 1024;

/** A message that this worker has taken. */
interface HeldMessage {
  readonly producer: string;
  /** Parts that are not answered. */
  readonly parts: Set<HeldPart>;
}

/** Embeds or tokenizes interactive texts; `RedisInteractiveLane` is the producer's side. */
export class InteractiveWork {
  readonly #deps: InteractiveWorkDeps;
  readonly #maxTexts: number;
  /** Messages with parts that are not answered, by id. */
  readonly #held = new Map<string, HeldMessage>();
  readonly #waiting: HeldPart[] = [];
  #heldTexts = 0;
  #heldChars = 0;
  #packs = 0;
  #releaseWaiters: (() => void)[] = [];
  #reports: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();

  constructor(deps: InteractiveWorkDeps) {
    const { pool, packs } = deps;
    this.#deps = deps;
    // Few, because another worker may be idle: what the threads compute now and next.
    this.#maxTexts = packs ? (pool.threads + 1) * MAX_PACK_TEXTS : pool.threads * PIECES_PER_LANE;
  }

  /** Starts to report held messages to their producers. */
  start(): void {
    this.#reports = setInterval(() => this.#reportHeld(), REPORT_INTERVAL_MS);
  }

  /** Stops the reports, and the attempts to send answers that Redis does not take. */
  stop(): void {
    clearInterval(this.#reports);
    this.#stopping.abort();
  }

  /** Resolves when there is room for a message. */
  async whenRoom(): Promise<void> {
    while (this.#heldTexts >= this.#maxTexts || this.#heldChars >= MAX_HELD_CHARS) await this.#nextRelease();
  }

  /** Resolves when every part that was taken is answered. */
  async whenIdle(): Promise<void> {
    while (this.#held.size > 0) await this.#nextRelease();
  }

  /** Leaves the parts that are not answered to other workers. */
  async handBack(): Promise<void> {
    const parts = Array.from(this.#held.values(), (message) => [...message.parts]).flat();
    await Promise.all(parts.map((held) => this.#send(held, { part: held.part.id, kind: 'handed-back' })));
  }

  /** Takes the parts of a message. */
  take({ id, producer, enqueuedAt, parts }: CallMessage): void {
    const { clock, withdrawals, packs } = this.#deps;
    const message: HeldMessage = { producer, parts: new Set() };
    this.#held.set(id, message);
    for (const part of parts) {
      const remainingMs = part.deadline - clock.now();
      this.#heldTexts += part.texts.length;
      const held: HeldPart = {
        part,
        message: id,
        producer,
        enqueuedAt,
        watched: withdrawals.watch(part.id, remainingMs),
        packKey: packs ? packKeyOf(part) : null,
        chars: charsOf(part.texts),
      };
      this.#heldChars += held.chars;
      message.parts.add(held);
      this.#waiting.push(held);
    }
    if (parts.length === 0) this.#held.delete(id);
    this.#startPacks();
  }

  /** Resolves when the next part is released. */
  #nextRelease(): Promise<void> {
    return new Promise((resolve) => this.#releaseWaiters.push(resolve));
  }

  #startPacks(): void {
    const maxPacks = this.#deps.pool.threads * PIECES_PER_LANE;
    while (this.#waiting.length > 0 && this.#packs < maxPacks) {
      const pack = takePack(this.#waiting).filter((held) => this.#isWanted(held));
      if (pack.length === 0) continue;
      this.#packs += 1;
      void this.#do(pack).finally(() => {
        this.#packs -= 1;
        this.#startPacks();
      });
    }
  }

  /** Drops a part that no caller waits for any more. */
  #isWanted(held: HeldPart): boolean {
    if (!held.watched.signal.aborted) return true;
    this.#countUnanswered(held);
    this.#release(held);
    return false;
  }

  #countUnanswered({ part }: HeldPart): void {
    const { metrics, withdrawals } = this.#deps;
    metrics.countUnanswered(withdrawals.has(part.id) ? 'withdrawn' : 'expired', part.texts.length);
  }

  #release(held: HeldPart): void {
    held.watched.end();
    this.#heldTexts -= held.part.texts.length;
    this.#heldChars -= held.chars;
    const message = this.#held.get(held.message);
    message?.parts.delete(held);
    if (message?.parts.size === 0) this.#held.delete(held.message);
    const waiters = this.#releaseWaiters;
    this.#releaseWaiters = [];
    for (const wake of waiters) wake();
  }

  /** Computes a pack and answers its parts. */
  async #do(pack: readonly HeldPart[]): Promise<void> {
    const { work } = pack[0]!.part;
    try {
      if (work.kind === 'tokenize') await this.#tokenize(pack, work.specialTokens);
      else await this.#embed(pack, work);
    } catch (error) {
      await Promise.all(pack.map((held) => this.#answerError(held, asError(error))));
    }
    for (const held of pack) this.#release(held);
  }

  async #answerError(held: HeldPart, error: Error): Promise<void> {
    if (held.watched.signal.aborted) this.#countUnanswered(held);
    else await this.#send(held, answerOf(held, error));
  }

  /** Resolves when the answer is in Redis, or this worker has stopped. */
  async #send({ producer }: HeldPart, answer: PartAnswer): Promise<void> {
    const { answers, log } = this.#deps;
    const onWait = (error: unknown) =>
      log.warn({ reason: asError(error).message }, 'an interactive answer waits for Redis');
    const { signal } = this.#stopping;
    await retryUntil(() => answers.send(producer, answer), {
      isTemporary: isRedisFault,
      signal,
      onWait,
    }).catch((error) => log.debug({ reason: asError(error).message }, 'an interactive answer was not sent'));
  }

  async #tokenize(pack: readonly HeldPart[], specialTokens: boolean): Promise<void> {
    for (const held of pack) {
      // The lane accepts only strings to tokenize, no token ids.
      const texts = held.part.texts as readonly string[];
      const { signal } = held.watched;
      const { pool, poolName: model } = this.#deps;
      const tokens = await pool.tokenizeTexts(texts, { model, specialTokens, signal });
      await this.#send(held, { part: held.part.id, kind: 'tokens', tokens });
    }
  }

  async #embed(pack: readonly HeldPart[], work: PartWork & { kind: 'embed' }): Promise<void> {
    const { glossaries, identityOf, clock, metrics, model } = this.#deps;
    const { precision } = work;
    const { fingerprint } = pack[0]!.part;
    if (fingerprint !== undefined && fingerprint !== (await identityOf(precision)).fingerprint) {
      await Promise.all(pack.map((held) => this.#send(held, { part: held.part.id, kind: 'handed-back' })));
      return;
    }
    const treatment = await glossaries.resolve(work.treatment ?? UNTREATED);
    const startedAt = performance.now();
    const startedAtRedis = clock.now();
    const pieces: PieceTimings[] = [];
    const computing = this.#compute(pack, { ...work, treatment }, pieces);
    // Started before the spans, so that a pack runs once whatever traces its parts belong to.
    const embedded = await this.#traced(pack, computing, pieces);
    const inferMs = performance.now() - startedAt;
    let first = 0;
    const sent = pack.map((held) => {
      const rows = held.part.texts.length;
      const own = slice(embedded, first, rows);
      first += rows;
      const timings = { queueMs: Math.max(0, startedAtRedis - held.enqueuedAt), inferMs };
      metrics.countInteractive(timings, summarizeOutcomes(own.outcomes, own.specialTokens), model);
      const result = encodeBatchResult({ batch: 0, rows, precision, ...own });
      return this.#send(held, { part: held.part.id, kind: 'vectors', timings, result });
    });
    await Promise.all(sent);
  }

  async #compute(
    pack: readonly HeldPart[],
    options: Pick<
      Parameters<InferencePool['embedTexts']>[1],
      'precision' | 'truncate' | 'treatment' | 'chunkSpans'
    >,
    pieces: PieceTimings[],
  ): Promise<EmbedTextsResult> {
    const { precision, truncate, treatment, chunkSpans } = options;
    const { pool, poolName: model } = this.#deps;
    return await pool.embedTexts(
      pack.flatMap(({ part }) => part.texts),
      {
        model,
        precision,
        truncate,
        treatment,
        ...(chunkSpans === undefined ? {} : { chunkSpans }),
        isOnePiece: pack.length > 1,
        onPiece: (timings) => pieces.push(timings),
        signal: signalOf(pack),
      },
    );
  }

  /** Waits for a pack in the trace of each of its callers. */
  async #traced(
    pack: readonly HeldPart[],
    computing: Promise<EmbedTextsResult>,
    pieces: readonly PieceTimings[],
  ): Promise<EmbedTextsResult> {
    const { tracing } = this.#deps;
    const waits = pack.map(({ part: { trace, texts } }) => {
      const attributes = { 'embedmill.texts': texts.length };
      return tracing.resume(trace, 'process interactive', attributes, () =>
        tracing.span('infer', attributes, async (span) => {
          await computing;
          for (const timings of pieces) addThreadStep(span, timings);
        }),
      );
    });
    await Promise.all(waits);
    return await computing;
  }

  #reportHeld(): void {
    const byProducer = new Map<string, string[]>();
    for (const [id, { producer }] of this.#held) {
      const own = byProducer.get(producer);
      if (own === undefined) byProducer.set(producer, [id]);
      else own.push(id);
    }
    const { answers, worker } = this.#deps;
    for (const [producer, messages] of byProducer) answers.reportHeld(producer, worker, messages);
  }
}

/** Aborted once no caller waits for any part of the pack. */
function signalOf(pack: readonly HeldPart[]): AbortSignal {
  const [first] = pack;
  if (pack.length === 1) return first!.watched.signal;
  const controller = new AbortController();
  let wanted = pack.length;
  for (const { watched } of pack) {
    const leave = () => {
      wanted -= 1;
      if (wanted === 0) controller.abort(watched.signal.reason);
    };
    if (watched.signal.aborted) leave();
    else watched.signal.addEventListener('abort', leave);
  }
  return controller.signal;
}

/** Vectors and outcomes of consecutive rows. */
function slice(
  { vectors, outcomes, ...shared }: EmbedTextsResult,
  first: number,
  rows: number,
): EmbedTextsResult & { outcomes: RowOutcome[] } {
  if (rows === outcomes.length) return { ...shared, vectors, outcomes };
  const { dim } = shared;
  return {
    ...shared,
    vectors: vectors.subarray(first * dim, (first + rows) * dim),
    outcomes: outcomes.slice(first, first + rows),
  };
}

function answerOf({ part: { id: part } }: HeldPart, error: Error): PartAnswer {
  if (error instanceof EmbedmillError && error.retryable) return { part, kind: 'handed-back' };
  const known = error instanceof EmbedmillError ? error : new EmbedmillError('internal', error.message);
  return { part, kind: 'failed', error: known.toJSON() };
}
