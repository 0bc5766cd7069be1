/**
 * Processes one job of the interactive queue: embeds its parts in parallel and answers each as soon as it is
 * finished.
 */

import { asError, EmbedmillError, type Precision, UNTREATED } from '@embedmill/contract';
import { encodeBatchResult } from '@embedmill/core/batch';
import type {
  AnswerChannels,
  CallPart,
  ConsumeOutcome,
  Delivery,
  InteractiveJob,
  JobTakers,
  PartAnswer,
  RedisClock,
  Withdrawals,
} from '@embedmill/core/redis';
import type { Tracing } from '@embedmill/core/telemetry';
import type { Glossaries } from '../glossaries.ts';
import { type DoublingDelay, doubledDelay } from '../hand-back.ts';
import type { InferencePool } from '../inference/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { addThreadStep } from '../thread-step.ts';

/** Dependencies of `InteractiveWork`. */
export interface InteractiveWorkDeps {
  answers: AnswerChannels;
  /** Who has taken which job. */
  takers: JobTakers;
  pool: InferencePool;
  glossaries: Glossaries;
  /** Model name of this worker; a job for another model goes back to the queue. */
  model: string;
  /** Returns the model fingerprint that results of a precision carry. */
  identityOf: (precision: Precision) => Promise<{ fingerprint: string }>;
  clock: RedisClock;
  withdrawals: Withdrawals;
  metrics: WorkerMetrics;
  tracing: Tracing;
}

/** Delay before a returned job is delivered again: short, because a caller is waiting. It doubles each time. */
const HAND_BACK: DoublingDelay = { firstMs: 100, maxMs: 1000 };

/** Embeds or tokenizes interactive texts; `RedisInteractiveLane` is the producer's side. */
export class InteractiveWork {
  readonly #deps: InteractiveWorkDeps;

  constructor(deps: InteractiveWorkDeps) {
    this.#deps = deps;
  }

  /**
   * Processes a job. Returns when every answer is in Redis; if the worker dies before that, the job is
   * repeated.
   */
  async consume(job: InteractiveJob, { starts }: Pick<Delivery, 'starts'>): Promise<ConsumeOutcome> {
    // A job that lost its content has no caller to answer.
    if (typeof job.producer !== 'string' || !Array.isArray(job.parts)) return { status: 'done' };
    if (job.model !== this.#deps.model) {
      return { status: 'hand-back', afterMs: doubledDelay(starts, HAND_BACK) };
    }
    const queueMs = Math.max(0, this.#deps.clock.now() - job.enqueuedAt);
    const { takers } = this.#deps;
    takers.take(job.id);
    await Promise.all(job.parts.map((part) => this.#do(job, part, queueMs)));
    takers.leave(job.id);
    return { status: 'done' };
  }

  /**
   * Reports the parts of a job as lost after a worker died with it. The producer repeats them; this is the
   * third layer that `inference/bisect.ts` describes.
   */
  async abandon(job: InteractiveJob): Promise<void> {
    const { answers, takers } = this.#deps;
    const kind = (await takers.isTakerAlive(job.id)) ? 'handed-back' : 'lost';
    for (const { id } of job.parts) await answers.send(job.producer, { part: id, kind });
  }

  async #do(job: InteractiveJob, part: CallPart, queueMs: number): Promise<void> {
    const { answers, clock, withdrawals, metrics } = this.#deps;
    const remainingMs = part.deadline - clock.now();
    const countUnanswered = () =>
      metrics.countUnanswered(withdrawals.has(part.id) ? 'withdrawn' : 'expired', part.texts.length);
    if (withdrawals.has(part.id) || remainingMs <= 0) {
      countUnanswered();
      return;
    }
    const withdrawal = withdrawals.watch(part.id, remainingMs);
    try {
      await answers.send(job.producer, await this.#work(part, queueMs, withdrawal.signal));
    } catch (error) {
      if (withdrawal.signal.aborted) countUnanswered();
      else await answers.send(job.producer, answerOf(part, asError(error)));
    } finally {
      withdrawal.end();
    }
  }

  async #work(
    { id, texts, work, fingerprint }: CallPart,
    queueMs: number,
    signal: AbortSignal,
  ): Promise<PartAnswer> {
    const { pool, glossaries, identityOf, metrics, tracing } = this.#deps;
    if (work.kind === 'tokenize') {
      // The lane accepts only strings to tokenize, no token ids.
      const own = texts as readonly string[];
      const tokens = await pool.tokenizeTexts(own, { specialTokens: work.specialTokens, signal });
      return { part: id, kind: 'tokens', tokens };
    }
    const { precision, truncate, chunkSpans } = work;
    if (fingerprint !== undefined && fingerprint !== (await identityOf(precision)).fingerprint) {
      return { part: id, kind: 'handed-back' };
    }
    const treatment = await glossaries.resolve(work.treatment ?? UNTREATED);
    const startedAt = performance.now();
    const embedded = await tracing.span('infer', { 'embedmill.texts': texts.length }, (span) =>
      pool.embedTexts(texts, {
        precision,
        truncate,
        treatment,
        chunkSpans,
        onPiece: (timings) => addThreadStep(span, timings),
        signal,
      }),
    );
    const result = encodeBatchResult({ batch: 0, rows: texts.length, precision, ...embedded });
    const timings = { queueMs, inferMs: performance.now() - startedAt };
    metrics.countInteractive(timings, embedded.outcomes);
    return { part: id, kind: 'vectors', timings, result };
  }
}

function answerOf({ id: part }: CallPart, error: Error): PartAnswer {
  if (error instanceof EmbedmillError && error.retryable) return { part, kind: 'handed-back' };
  const known = error instanceof EmbedmillError ? error : new EmbedmillError('internal', error.message);
  return { part, kind: 'failed', error: known.toJSON() };
}
