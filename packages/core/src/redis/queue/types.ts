/** The ports to the job queue, in our words: a producer enqueues batches, a worker consumes them. */

import type { Lane, Precision, Treatment, Truncate } from '@embedmill/contract';

/** What a worker must know of a batch before it fetches the texts. */
export interface BatchJob {
  run: string;
  batch: number;
  /** Id of the data folder whose collector waits for the result; `home` is its name on the wire since 0.1. */
  home: string;
  rows: number;
  /** Estimated tokens. */
  tokens: number;
  precision: Precision;
  truncate: Truncate;
  treatment: Treatment;
  /** Name of the model that the run asks for. */
  model: string;
}

/** Batches per state. */
export interface QueueCounts {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

/** What metrics ask of a queue, whatever its jobs are. */
export interface QueueState {
  counts(): Promise<QueueCounts>;
  /** Milliseconds that the job at the head of the queue has waited; 0 when none waits. */
  oldestWaitingMs(): Promise<number>;
  /** Workers that are connected to the queue. */
  workers(): Promise<number>;
}

/** The producer's side. */
export interface JobQueue<Job> extends QueueState {
  /** Enqueues jobs; one that is queued already stays as it is. */
  enqueue(jobs: readonly Job[]): Promise<void>;
  /** Takes a job back that no worker has; one that a worker has stays. */
  remove(job: Job): Promise<void>;
  close(): Promise<void>;
}

/** The queue of runs. */
export type BatchQueue = JobQueue<BatchJob>;

/** How this delivery came about. */
export interface Delivery {
  /** Milliseconds since the batch was enqueued, by the clocks of two machines; never negative. */
  waitedMs: number;
  /** 1 for the first attempt; a batch that was handed back or stalled is still in the same one. */
  attempt: number;
  /** How often the batch was taken from a worker that fell silent. */
  stalls: number;
  /** True when an error thrown now ends the batch. */
  lastAttempt: boolean;
}

/** `done`: remove the job. `hand-back`: another worker must do it; offer it again after `afterMs`. */
export type ConsumeOutcome = { status: 'done' } | { status: 'hand-back'; afterMs: number };

/** Does one job. A throw counts as a failed attempt, so infrastructure faults must be waited out instead. */
export type Consume<Job = BatchJob> = (job: Job, delivery: Delivery) => Promise<ConsumeOutcome>;

/** The worker's side. */
export interface BatchConsumer {
  /** Starts to fetch batches. */
  start(): void;
  /** Stops fetching; what runs goes on. */
  pause(): Promise<void>;
  resume(): void;
  /**
   * No new fetch; waits up to `deadlineMs` for what runs. Then `giveUp` is called, which should make it fail as retryable, so that
   * it is handed back at once. What is neither finished nor handed back goes to another worker when its lock ends.
   */
  stop(deadlineMs: number, giveUp?: () => Promise<void>): Promise<'finished' | 'deadline'>;
}

/** Names of the queues, by lane. */
export const QUEUE_NAMES: Readonly<Record<Lane, string>> = { bulk: 'bulk', interactive: 'interactive' };
