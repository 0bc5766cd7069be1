/** The producer's side of the queue on BullMQ. */

import { Queue, type Telemetry } from 'bullmq';
import { isRedisFault } from '../../process/faults.ts';
import { settledWithin } from '../../process/lifecycle/promises.ts';
import { connectionOptions } from '../connect.ts';
import { type BatchJob, type BatchQueue, QUEUE_NAME, type QueueCounts } from './types.ts';

/** Jobs per `addBulk`, which is one pipeline: a small one blocks Redis for a short time. */
const JOBS_PER_CALL = 200;

/** Ids per read of a list: about 200 KB. */
const IDS_PER_CALL = 5000;

/** Age at which the ids in the lists are read again. */
const LISTED_FRESH_MS = 2000;

/** Longest pause of a job is 60 s; one that is delayed for longer is overdue. */
const MAX_DELAY_MS = 120_000;

/** Lists of jobs that a worker has or will get. */
const UNFINISHED = ['waiting', 'active', 'delayed', 'prioritized'] as const;

/**
 * Keys per SCAN, and SCANs per call of `removeUnlisted`: Redis may hold millions of keys of others, so a call examines 20,000
 * keys, and the next one continues.
 */
const KEYS_PER_SCAN = 1000;
const MAX_SCANS = 20;

/** Keys of jobs after the prefix of the queue; those of the queue itself, and of locks, have another form. */
const JOB_ID = /^[^:]+-\d+$/;

/** States in which no worker will ever get a job. Finished jobs are removed, so one in these lists lost its options. */
const LOST_STATES: ReadonlySet<string> = new Set(['unknown', 'completed', 'failed']);

/** Attempts of a batch whose worker throws, which is a bug; some bugs are transient. */
const ATTEMPTS = 3;

/** Maximum wait for the reply to QUIT. */
const CLOSE_MS = 500;

/** BullMQ writes four events per job, and old ones are never read. */
const MAX_EVENTS = 1000;

/** What the queue works with. */
export interface BullQueueDeps {
  url: string;
  /** `Keys.queuePrefix`. */
  prefix: string;
  /** `Tracing.telemetry`: a job carries the trace context of the caller that enqueues it. */
  telemetry?: Telemetry | undefined;
  /** Called for every error of the connection; BullMQ throws without a listener. */
  onError: (error: Error) => void;
}

/** @see BatchQueue */
export class BullBatchQueue implements BatchQueue {
  readonly #queue: Queue<BatchJob>;
  #lastListed: Promise<ReadonlySet<string>> = Promise.resolve(new Set());
  /** Ids of delayed jobs and the time (monotonic) since which every audit saw them delayed. */
  readonly #delayedSince = new Map<string, number>();
  #listedAt = Number.NEGATIVE_INFINITY;
  /** Where the next call of `removeUnlisted` continues. */
  #scanCursor = '0';

  constructor({ url, prefix, telemetry, onError }: BullQueueDeps) {
    this.#queue = new Queue<BatchJob>(QUEUE_NAME, {
      prefix,
      connection: connectionOptions(url, 'bulk'),
      // Together these let calls fail fast while Redis is unreachable and recover when it is back.
      skipWaitingForReady: true,
      skipVersionCheck: true,
      ...(telemetry === undefined ? {} : { telemetry }),
      defaultJobOptions: {
        attempts: ATTEMPTS,
        backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
        removeOnComplete: true,
        removeOnFail: true,
      },
      streams: { events: { maxLen: MAX_EVENTS } },
    });
    this.#queue.on('error', onError);
    // BullMQ writes this limit once: too early when it does not wait for the connection, and not again after
    // Redis lost its data. Its scripts would then keep ten times as many events.
    const backend = this.#queue.getBackend();
    backend.on('ready', () => {
      backend.setQueueMeta({ 'opts.maxLenEvents': MAX_EVENTS }).catch(onError);
    });
  }

  /** BullMQ's own object, for Bull Board. */
  get own(): Queue<BatchJob> {
    return this.#queue;
  }

  async enqueue(jobs: readonly BatchJob[], delayMs = 0): Promise<void> {
    for (let start = 0; start < jobs.length; start += JOBS_PER_CALL) {
      const slice = jobs.slice(start, start + JOBS_PER_CALL);
      // The id makes the call idempotent: addBulk is not a transaction, and a call that timed out may have
      // succeeded.
      await this.#queue.addBulk(
        slice.map((data) => ({
          name: 'batch',
          data,
          opts: { jobId: idOf(data), ...(delayMs === 0 ? {} : { delay: delayMs }) },
        })),
      );
    }
  }

  async findLost(jobs: readonly BatchJob[]): Promise<BatchJob[]> {
    const lost = await this.#findUnlisted(jobs.map(idOf));
    return jobs.filter((job) => lost.has(idOf(job)));
  }

  /** Those of these ids that are in no list of unfinished jobs. */
  async #findUnlisted(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const listed = await this.#listed();
    const candidates = ids.filter((id) => !listed.has(id));
    const unlisted = new Set<string>();
    for (let start = 0; start < candidates.length; start += JOBS_PER_CALL) {
      const slice = candidates.slice(start, start + JOBS_PER_CALL);
      // Asked again one by one: a job moves between the lists while they are read.
      const states = await Promise.all(slice.map((id) => this.#queue.getJobState(id)));
      for (const [i, id] of slice.entries()) if (LOST_STATES.has(states[i]!)) unlisted.add(id);
    }
    return unlisted;
  }

  async restore(lost: readonly BatchJob[]): Promise<void> {
    for (const job of lost) {
      // The rest of a job that is in no list would keep its id from being added. A worker may still have it.
      await this.remove(job).catch(rethrowRedisFault);
    }
    await this.enqueue(lost);
  }

  /** Ids in the lists of unfinished jobs, at most two seconds old: one audit asks for many runs. */
  #listed(): Promise<ReadonlySet<string>> {
    if (performance.now() - this.#listedAt > LISTED_FRESH_MS) {
      this.#listedAt = performance.now();
      this.#lastListed = this.#readListed();
      this.#lastListed.catch(() => {
        this.#listedAt = Number.NEGATIVE_INFINITY;
      });
    }
    return this.#lastListed;
  }

  async #readListed(): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    const delayed = new Set<string>();
    for (const type of UNFINISHED) {
      for (let start = 0; ; start += IDS_PER_CALL) {
        const found = await this.#queue.getRanges([type], start, start + IDS_PER_CALL - 1);
        for (const id of found) ids.add(id);
        if (type === 'delayed') for (const id of found) delayed.add(id);
        if (found.length < IDS_PER_CALL) break;
      }
    }
    await this.#promoteOverdue(delayed);
    return ids;
  }

  /** BullMQ delays jobs by the clocks of the workers, so a clock that was set back or is wrong delays them for hours. */
  async #promoteOverdue(delayed: ReadonlySet<string>): Promise<void> {
    const now = performance.now();
    for (const id of this.#delayedSince.keys()) if (!delayed.has(id)) this.#delayedSince.delete(id);
    for (const id of delayed) {
      const since = this.#delayedSince.get(id) ?? now;
      this.#delayedSince.set(id, since);
      if (now - since < MAX_DELAY_MS) continue;
      this.#delayedSince.delete(id);
      await (await this.#queue.getJob(id))?.promote().catch(rethrowRedisFault);
    }
  }

  async remove(job: BatchJob): Promise<void> {
    await this.#queue.remove(idOf(job));
  }

  async removeUnlisted(): Promise<number> {
    const client = await this.#queue.getBackend().client;
    const start = this.#queue.toKey('');
    let removed = 0;
    for (let scans = 0; scans < MAX_SCANS; scans++) {
      const [cursor, keys] = await client.scan(this.#scanCursor, {
        MATCH: `${start}*-*`,
        COUNT: KEYS_PER_SCAN,
      });
      const ids = keys.map((key) => key.slice(start.length)).filter((id) => JOB_ID.test(id));
      for (const id of await this.#findUnlisted(ids)) {
        // Workers have finished most of them since the SCAN.
        if ((await this.#queue.getJob(id)) === undefined) continue;
        // Returns 0 for a job that a worker has. One that its producer enqueues again at this moment is removed as well, and
        // found lost by the next audit.
        removed += await this.#queue.remove(id);
      }
      this.#scanCursor = cursor;
      if (cursor === '0') break;
    }
    return removed;
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
    let isClosed = false;
    const closing = this.#queue.close().then(() => {
      isClosed = true;
    });
    await settledWithin([closing], CLOSE_MS);
    // BullMQ sends QUIT, which waits for a Redis that hangs, fails while Redis is unreachable, and would then reconnect without
    // limit. Not awaited: a connection that was never open does not report its end.
    if (!isClosed) this.#queue.disconnect().catch(() => {});
  }
}

/** Id of a job. It makes `enqueue` idempotent. */
function idOf({ run, batch }: BatchJob): string {
  return `${run}-${batch}`;
}

/** A job that BullMQ does not find or that is locked has moved on by itself. */
function rethrowRedisFault(error: unknown): void {
  if (isRedisFault(error)) throw error;
}
