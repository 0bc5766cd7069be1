/** The producer's side of the queue on BullMQ. */

import type { Lane } from '@embedmill/contract';
import { Queue, type Telemetry } from 'bullmq';
import { connectionOptions } from '../connect.ts';
import type { InteractiveJob } from '../interactive/job.ts';
import { type BatchJob, type BatchQueue, type JobQueue, QUEUE_NAMES, type QueueCounts } from './types.ts';

/** Jobs per addBulk: BullMQ sends a pipeline, and a smaller one holds Redis for a shorter time. */
const JOBS_PER_CALL = 200;

/** Throws of our own code are bugs; a few attempts tell a passing one from a lasting one. */
const ATTEMPTS = 3;

/** BullMQ writes four events for each job, and nobody reads old ones. */
const MAX_EVENTS = 1000;

/** What the queue works with. */
export interface BullQueueDeps {
  url: string;
  /** `Keys.queuePrefix`. */
  prefix: string;
  lane: Lane;
  /** `Tracing.telemetry`: the context of whoever enqueues a batch goes with it. */
  telemetry?: Telemetry | undefined;
  /** Told about every error of the connection; BullMQ throws without a listener. */
  onError: (error: Error) => void;
}

/** How the jobs of a lane are kept. */
interface JobManner<Job> {
  /** Makes `enqueue` repeatable: letters, digits and dashes, not a number alone. */
  idOf: (job: Job) => string;
  /** How often a job may throw. */
  attempts: number;
}

/** The queues as BullMQ has them, for a board that shows them. */
export interface OwnQueues {
  bulk: Queue<BatchJob>;
  interactive: Queue<InteractiveJob>;
}

/** @see JobQueue */
class BullQueue<Job> implements JobQueue<Job> {
  readonly #queue: Queue<Job>;
  readonly #idOf: (job: Job) => string;

  constructor({ url, prefix, lane, telemetry, onError }: BullQueueDeps, { idOf, attempts }: JobManner<Job>) {
    this.#idOf = idOf;
    this.#queue = new Queue<Job>(QUEUE_NAMES[lane], {
      prefix,
      connection: { url, ...connectionOptions('command') },
      // Together these two let the queue fail fast while Redis is away and recover when it is back.
      skipWaitingForReady: true,
      skipVersionCheck: true,
      ...(telemetry === undefined ? {} : { telemetry }),
      defaultJobOptions: {
        attempts,
        backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
        removeOnComplete: true,
        removeOnFail: true,
      },
      streams: { events: { maxLen: MAX_EVENTS } },
    });
    this.#queue.on('error', onError);
    // BullMQ says it to Redis once, before the connection is there when it does not wait for it, and never again to one that
    // came back empty. The scripts then keep ten times as many.
    const backend = this.#queue.getBackend();
    backend.on('ready', () => {
      backend.setQueueMeta({ 'opts.maxLenEvents': MAX_EVENTS }).catch(onError);
    });
  }

  /** BullMQ's own object, for a board that shows it. */
  get own(): Queue<Job> {
    return this.#queue;
  }

  async enqueue(jobs: readonly Job[]): Promise<void> {
    for (let start = 0; start < jobs.length; start += JOBS_PER_CALL) {
      const slice = jobs.slice(start, start + JOBS_PER_CALL);
      // The id makes the call repeatable: addBulk is no transaction, and a timed-out call may have been carried out.
      await (this.#queue as Queue).addBulk(
        slice.map((data) => ({ name: 'batch', data, opts: { jobId: this.#idOf(data) } })),
      );
    }
  }

  async remove(job: Job): Promise<void> {
    await this.#queue.remove(this.#idOf(job));
  }

  async counts(): Promise<QueueCounts> {
    const counts = await this.#queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
    return {
      waiting: counts.waiting ?? 0,
      active: counts.active ?? 0,
      delayed: counts.delayed ?? 0,
      failed: counts.failed ?? 0,
    };
  }

  async oldestWaitingMs(): Promise<number> {
    const [oldest] = await this.#queue.getJobs(['waiting'], 0, 0, true);
    return oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.timestamp);
  }

  workers(): Promise<number> {
    return this.#queue.getWorkersCount();
  }

  async close(): Promise<void> {
    try {
      await this.#queue.close();
    } catch {
      // BullMQ takes leave with QUIT, which fails while Redis is away, and would then try to connect for ever. Not awaited:
      // a connection that is not there never says that it has ended.
      this.#queue.disconnect().catch(() => {});
    }
  }
}

/** The queue of runs. */
export class BullBatchQueue extends BullQueue<BatchJob> implements BatchQueue {
  constructor(parts: Omit<BullQueueDeps, 'lane'> & { lane: 'bulk' }) {
    super(parts, { idOf: ({ run, batch }) => `${run}-${batch}`, attempts: ATTEMPTS });
  }
}

/** The queue of the interactive lane. Who waits for an answer asks again by itself, so a job has one attempt. */
export class BullInteractiveQueue extends BullQueue<InteractiveJob> {
  constructor(parts: Omit<BullQueueDeps, 'lane'>) {
    super({ ...parts, lane: 'interactive' }, { idOf: ({ id }) => id, attempts: 1 });
  }
}
