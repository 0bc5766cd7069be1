/** The worker's side of the queue on BullMQ: locks, renewals and hand-back; the work itself is a function given to it. */

import type { Lane } from '@embedmill/contract';
import { type Job as BullJob, DelayedError, type Telemetry, Worker } from 'bullmq';
import type { Logger } from 'pino';
import { connectionOptions } from '../connect.ts';
import { type BatchConsumer, type BatchJob, type Consume, QUEUE_NAMES } from './types.ts';

/** What the consumer works with. */
export interface BullConsumerDeps<Job = BatchJob> {
  url: string;
  /** `Keys.queuePrefix`. */
  prefix: string;
  lane: Lane;
  /** Batches held at a time, in work or fetched ahead. */
  concurrency: number;
  /** A batch of a worker that is silent for so long goes to another one. */
  lockMs: number;
  consume: Consume<Job>;
  /** A batch that its workers did not survive, or that failed all attempts; called once, by the worker that finds it so. */
  abandon: (job: Job, reason: string) => Promise<void>;
  /** Deaths of workers that a batch may cause before it is abandoned. Default 50. */
  maxStalls?: number;
  /** Told how many batches could not have their locks renewed; other workers may take them. */
  onLostLocks?: (batches: number) => void;
  /** `Tracing.telemetry`: `consume` runs in the context of whoever enqueued its batch. */
  telemetry?: Telemetry | undefined;
  log: Logger;
}

const SECOND = 1000;

/** Least time between two log lines about the same trouble, and the pause after one that is no connection error. */
const TROUBLE_INTERVAL_MS = 5 * SECOND;

/**
 * Deaths of workers over one batch after which it is given up as a whole. Long before that its rows are tried one by one,
 * which costs two deaths for each row that kills; so this ends a batch with a score of them, and nothing else.
 */
const MAX_STALLS = 50;

/** Time for what is given up at the end to be handed back. */
const HAND_BACK_MS = 2 * SECOND;

/** @see BatchConsumer */
export class BullBatchConsumer<Job = BatchJob> implements BatchConsumer {
  readonly #worker: Worker<Job, void>;
  readonly #log: Logger;
  #silentUntil = 0;
  #resumeTimer: NodeJS.Timeout | undefined;

  constructor({
    url,
    prefix,
    lane,
    concurrency,
    lockMs,
    consume,
    abandon,
    maxStalls = MAX_STALLS,
    onLostLocks,
    telemetry,
    log,
  }: BullConsumerDeps<Job>) {
    this.#log = log;
    this.#worker = new Worker<Job, void>(
      QUEUE_NAMES[lane],
      (job, token) => this.#process(job, token, consume),
      {
        prefix,
        connection: { url, ...connectionOptions('patient') },
        autorun: false,
        concurrency,
        lockDuration: lockMs,
        stalledInterval: Math.max(SECOND, Math.floor(lockMs / 3)),
        maxStalledCount: maxStalls,
        drainDelay: 5,
        skipVersionCheck: true,
        ...(telemetry === undefined ? {} : { telemetry }),
      },
    );
    this.#worker.on('error', (error) => this.#onTrouble(error));
    if (onLostLocks !== undefined) this.#worker.on('lockRenewalFailed', (jobs) => onLostLocks(jobs.length));
    this.#worker.on('failed', (job, error) => {
      if (
        job === undefined ||
        (job.attemptsMade < (job.opts.attempts ?? 1) && !/stalled/.test(error.message))
      )
        return;
      abandon(job.data, error.message).catch((failure) => this.#onTrouble(failure));
    });
  }

  start(): void {
    this.#worker.run().catch((error) => this.#onTrouble(error));
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
    if (await isSettledWithin(finished, deadlineMs)) return 'finished';
    await giveUp();
    // BullMQ closes once: a forced close would only join the one that waits. What is not handed back by now loses its lock.
    if (!(await isSettledWithin(finished, HAND_BACK_MS))) await this.#worker.disconnect();
    return 'deadline';
  }

  async #process(job: BullJob<Job, void>, token: string | undefined, consume: Consume<Job>): Promise<void> {
    const outcome = await consume(job.data, {
      waitedMs: Math.max(0, Date.now() - job.timestamp),
      attempt: job.attemptsMade + 1,
      stalls: job.stalledCounter,
      lastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
    });
    if (outcome.status === 'hand-back') {
      await job.moveToDelayed(Date.now() + outcome.afterMs, token);
      throw new DelayedError();
    }
  }

  /**
   * BullMQ retries a failed fetch at once unless the connection is gone, so a Redis that is full or read-only would be
   * asked thousands of times a second; a short pause turns that into one question an interval.
   */
  #onTrouble(error: Error): void {
    if (Date.now() >= this.#silentUntil) {
      this.#silentUntil = Date.now() + TROUBLE_INTERVAL_MS;
      this.#log.warn({ reason: error.message }, 'trouble with the queue; trying again');
    }
    if (!/^(OOM|MISCONF|READONLY|LOADING)/.test(error.message) || this.#resumeTimer !== undefined) return;
    this.#worker.pause(true).catch(() => {});
    this.#resumeTimer = setTimeout(() => {
      this.#resumeTimer = undefined;
      this.#worker.resume();
    }, TROUBLE_INTERVAL_MS / 5);
  }
}

async function isSettledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
