/** The ports to the queue of batches: a producer enqueues jobs, a worker consumes them. */

import type { Precision, Treatment, Truncate } from '@embedmill/contract';

/** A batch of a run, without its texts: those are in the payload. */
export interface BatchJob {
  run: string;
  batch: number;
  /** Id of the data folder whose collector takes the result; its wire name has been `home` since 0.1. */
  home: string;
  rows: number;
  /** Estimated tokens. */
  tokens: number;
  precision: Precision;
  truncate: Truncate;
  treatment: Treatment;
  /** Name of the requested model. */
  model: string;
  /**
   * Identity of the rows, which the worker states in the result (`withResultDigest`). Absent in jobs of producers before
   * 0.2; a worker before 0.2 ignores it, and its result states none.
   */
  digest?: string;
  /** `digestPayload` of the payload that belongs to the job; absent for rows that a producer before 0.2 wrote. */
  payloadDigest?: string;
}

/** Number of jobs per state. */
export interface QueueCounts {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** State of a queue, for metrics. */
export interface QueueState {
  /** Number of jobs per state. */
  counts(): Promise<QueueCounts>;
  /** Milliseconds that the job at the head of the queue has waited; 0 when the queue is empty. */
  oldestWaitingMs(): Promise<number>;
  /** Number of workers connected to the queue. */
  workers(): Promise<number>;
}

/** The producer's side. */
export interface BatchQueue extends QueueState {
  /** Enqueues jobs, to be taken after `delayMs` (default 0); a job that is already queued is left as it is. */
  enqueue(jobs: readonly BatchJob[], delayMs?: number): Promise<void>;
  /**
   * Those of these jobs that no worker will get: the queue has lost their entry in its lists, their content, or both. A job
   * that a worker finished is one of them; only the caller knows whether its batch is done.
   */
  findLost(jobs: readonly BatchJob[]): Promise<BatchJob[]>;
  /** Enqueues lost jobs, in place of what is left of them. */
  restore(lost: readonly BatchJob[]): Promise<void>;
  /** Removes a job unless a worker has it. */
  remove(job: BatchJob): Promise<void>;
  /**
   * Removes jobs that are in no list of the queue, whoever enqueued them: no worker gets them, so none would ever remove
   * them. Each call examines a limited number of keys and continues where the last one stopped; jobs that workers have
   * are left for a later call.
   * @returns number of jobs
   */
  removeUnlisted(): Promise<number>;
  close(): Promise<void>;
}

/** Circumstances of a delivery. */
export interface Delivery {
  /** Milliseconds since the job was enqueued, according to the clocks of two machines; never negative. */
  waitedMs: number;
  /** 1 for the first attempt; hand-backs and stalls do not start a new one. */
  attempt: number;
  /** How often a worker has taken the job, including this time and those that handed it back. */
  starts: number;
  /** How often the job was taken from a worker that did not renew its lock. */
  stalls: number;
  /** True when an error thrown now fails the job. */
  lastAttempt: boolean;
}

/** `done`: remove the job. `hand-back`: another worker must do it; deliver it again after `afterMs`. */
export type ConsumeOutcome = { status: 'done' } | { status: 'hand-back'; afterMs: number };

/**
 * Does one job. A throw counts as a failed attempt, so an implementation must wait for Redis to return
 * instead.
 */
export type Consume = (job: BatchJob, delivery: Delivery) => Promise<ConsumeOutcome>;

/** The worker's side. */
export interface BatchConsumer {
  /** Starts fetching jobs. */
  start(): void;
  /** Stops fetching; jobs in work continue. */
  pause(): Promise<void>;
  resume(): void;
  /**
   * Stops fetching and waits up to `deadlineMs` for the jobs in work. Then calls `giveUp`, which should
   * interrupt them, so that they are handed back at once. A job that is neither finished nor handed back goes
   * to another worker when its lock expires.
   */
  stop(deadlineMs: number, giveUp?: () => Promise<void>): Promise<'finished' | 'deadline'>;
}

/** Name of the queue. */
export const QUEUE_NAME = 'bulk';
