/** The worker's side of the queue on BullMQ: locks, renewal and hand-back around a `consume` function. */

import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@embedmill/contract';
import { type Job as BullJob, DelayedError, type Telemetry, Worker } from 'bullmq';
import type { Logger } from 'pino';
import { isRedisFault } from '../../process/faults.ts';
import { settledWithin } from '../../process/lifecycle/promises.ts';
import { connectionOptions } from '../connect.ts';
import { type BatchConsumer, type BatchJob, type Consume, QUEUE_NAME } from './types.ts';

/** What the consumer works with. */
export interface BullConsumerDeps {
  url: string;
  /** `Keys.queuePrefix`. */
  prefix: string;
  /** Maximum batches held, in work or prefetched. */
  concurrency: number;
  /** Lock lifetime: a batch whose worker does not renew it in time goes to another worker. */
  lockMs: number;
  consume: Consume;
  /** Called once for a job that failed all attempts. */
  abandon: (job: BatchJob, reason: string) => Promise<void>;
  /** Called with the number of batches whose locks could not be renewed; other workers may take them. */
  onLostLocks?: (batches: number) => void;
  /** `Tracing.telemetry`: `consume` runs in the trace context of the caller that enqueued its batch. */
  telemetry?: Telemetry | undefined;
  log: Logger;
}

const SECOND = 1000;

/** Minimum time between two log lines about queue errors. */
const ERROR_LOG_INTERVAL_MS = 5 * SECOND;

/** Pause after a Redis that is full or read-only rejected a fetch. */
const PAUSE_MS = SECOND;

/** Maximum wait for interrupted batches to be handed back at the end. */
const HAND_BACK_MS = 1.5 * SECOND;

/** @see BatchConsumer */
export class BullBatchConsumer implements BatchConsumer {
  readonly #worker: Worker<BatchJob, void>;
  readonly #log: Logger;
  #silentUntil = 0;
  #resumeTimer: NodeJS.Timeout | undefined;

  constructor({
    url,
    prefix,
    concurrency,
    lockMs,
    consume,
    abandon,
    onLostLocks,
    telemetry,
    log,
  }: BullConsumerDeps) {
    this.#log = log;
    this.#worker = new Worker<BatchJob, void>(
      QUEUE_NAME,
      (job, token) => this.#process(job, token, consume),
      {
        prefix,
        connection: connectionOptions(url, 'patient'),
        autorun: false,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: Math.max(SECOND, Math.floor(lockMs / 3)),
        maxStalledCount: Number.MAX_SAFE_INTEGER,
        drainDelay: 5,
        skipVersionCheck: true,
        // Jobs state it too, yet a job that lost its content has no options.
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
        ...(telemetry === undefined ? {} : { telemetry }),
      },
    );
    this.#worker.on('error', (error) => this.#onError(error));
    if (onLostLocks !== undefined) this.#worker.on('lockRenewalFailed', (jobs) => onLostLocks(jobs.length));
    this.#worker.on('failed', (job, error) => {
      if (job === undefined || job.attemptsMade < (job.opts.attempts ?? 1)) return;
      abandon(job.data, error.message).catch((failure) => this.#onError(failure));
    });
  }

  start(): void {
    this.#worker.run().catch((error) => this.#onError(error));
  }

  async pause(): Promise<void> {
    await this.#worker.pause(true);
  }

  resume(): void {
    this.#worker.resume();
  }

  async stop(
    deadlineMs: number,
    giveUp: () => Promise<void> = async () => {},
  ): Promise<'finished' | 'deadline'> {
    clearTimeout(this.#resumeTimer);
    const finished = this.#worker.close();
    if (await settledWithin([finished], deadlineMs)) return 'finished';
    const handedBack = Promise.all([giveUp(), finished]);
    // BullMQ closes once: a forced close would only join the pending one. Batches that are not handed back
    // lose their locks.
    // Not awaited: a connection that is waiting to reconnect does not report its end.
    if (!(await settledWithin([handedBack], HAND_BACK_MS))) this.#worker.disconnect().catch(() => {});
    return 'deadline';
  }

  async #process(job: BullJob<BatchJob, void>, token: string | undefined, consume: Consume): Promise<void> {
    const outcome = await consume(job.data, {
      waitedMs: Math.max(0, Date.now() - job.timestamp),
      attempt: job.attemptsMade + 1,
      starts: job.attemptsStarted,
      stalls: job.stalledCounter,
      lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
    });
    if (outcome.status === 'hand-back') {
      await this.#handBack(job, token, outcome.afterMs);
      throw new DelayedError();
    }
  }

  /** A Redis that is full or unreachable now must not turn a hand-back into a failed attempt. */
  async #handBack(job: BullJob<BatchJob, void>, token: string | undefined, afterMs: number): Promise<void> {
    for (;;) {
      try {
        return await job.moveToDelayed(Date.now() + afterMs, token);
      } catch (error) {
        // Without the lock, another worker has the job.
        if (!isRedisFault(error)) {
          this.#log.debug({ reason: asError(error).message }, 'a job is no longer ours to hand back');
          return;
        }
        await sleep(PAUSE_MS);
      }
    }
  }

  /**
   * BullMQ retries a failed fetch at once unless the connection is closed, so a Redis that is full or
   * read-only would get thousands of requests per second; a pause limits that to one per second.
   */
  #onError(error: Error): void {
    if (performance.now() >= this.#silentUntil) {
      this.#silentUntil = performance.now() + ERROR_LOG_INTERVAL_MS;
      this.#log.warn({ reason: error.message }, 'queue error; retrying');
    }
    // A connection that is away delays the fetch by itself.
    if (error.name !== 'ReplyError' || this.#resumeTimer !== undefined) return;
    this.#worker.pause(true).catch(() => {});
    this.#resumeTimer = setTimeout(() => {
      this.#resumeTimer = undefined;
      this.#worker.resume();
    }, PAUSE_MS);
  }
}
