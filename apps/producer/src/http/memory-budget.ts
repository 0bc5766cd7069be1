/**
 * One budget of bytes for everything that requests keep in the producer's memory: bodies, rows that wait to be
 * written, texts whose vectors are awaited, and answers that wait for their reader.
 *
 * A request has one share. A small share grows with what is read. A share that becomes large takes all that
 * the request will need at once, so that requests never wait for each other halfway:
 *
 * - Large shares of streams take at most half of the budget and all large shares three quarters; the rest is
 *   for small requests. Beyond that, a share waits, first come, first served.
 * - Requests that can be repeated are refused after a wait; streams are slowed down.
 * - While something waits, shares whose client neither sends nor reads are revoked, the largest first.
 */

import { UnavailableError } from '@embedmill/contract';
import { type Config, memoryLimitBytes } from '@embedmill/core/process';
import type { Request, RequestHandler } from 'express';

const KILOBYTE = 1024;
const SECOND = 1000;

/** Shares up to this size are small. */
export const SMALL_SHARE_BYTES = 512 * KILOBYTE;
/** Parts of the budget for large shares: of streams, and of all. */
const STREAMS_PART = 1 / 2;
const LARGE_PART = 3 / 4;
/** Interval at which idle shares are revoked, one at a time. */
const REVOKE_INTERVAL_MS = 200;
/** A client is idle when it moves fewer bytes than this, or than this part of its share, in `idleMs`. */
const PROGRESS_BYTES = 64 * KILOBYTE;
const PROGRESS_PART = 1 / 64;
/** `Retry-After` of a request that found no room. */
const RETRY_SECONDS = 5;

/** Part of the memory limit that the budget takes by default, and its bounds. */
const DEFAULT_PART = 1 / 4;
const MIN_DEFAULT_BYTES = 64 * KILOBYTE * KILOBYTE;
const MAX_DEFAULT_BYTES = 1024 * KILOBYTE * KILOBYTE;

/** The configured budget, or a quarter of the memory limit of this process (cgroup or machine). */
export function memoryBudgetBytes({ producerMemoryBytes }: Pick<Config, 'producerMemoryBytes'>): number {
  return (
    producerMemoryBytes ??
    Math.min(MAX_DEFAULT_BYTES, Math.max(MIN_DEFAULT_BYTES, memoryLimitBytes() * DEFAULT_PART))
  );
}

/** Times of a budget; tests shorten them. */
export interface MemoryBudgetOptions {
  /** Maximum wait of a request that its sender can repeat. Default: 4 s. */
  patienceMs?: number;
  /** Time after which the share of an idle client may be revoked. Default: 10 s. */
  idleMs?: number;
}

/** How a share grows. */
export interface ResizeOptions {
  /** Whether it belongs to a stream, which waits without a limit. The same for all calls of a share. Default: false. */
  isStream?: boolean;
}

/** A share that waits to become larger. */
interface Waiter {
  share: MemoryShare;
  bytes: number;
  isStream: boolean;
  grant: () => void;
  refuse: (error: Error) => void;
}

/** Counts the bytes of all shares. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #patienceMs: number;
  readonly #idleMs: number;
  readonly #shares = new Set<MemoryShare>();
  readonly #waiters: Waiter[] = [];
  #usedBytes = 0;
  /** Bytes of the shares that streams have taken. */
  #streamBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitBytes maximum bytes of all shares */
  constructor(limitBytes: number, options: MemoryBudgetOptions = {}) {
    const { patienceMs = 4 * SECOND, idleMs = 10 * SECOND } = options;
    this.limitBytes = limitBytes;
    this.#patienceMs = patienceMs;
    this.#idleMs = idleMs;
  }

  /** Bytes of all shares. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Number of shares that wait to grow. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** Opens an empty share; its owner must release it. */
  open(): MemoryShare {
    const share: MemoryShare = new MemoryShare({
      resize: (bytes, options) => this.#resize(share, bytes, options),
      release: () => this.#release(share),
    });
    this.#shares.add(share);
    return share;
  }

  #resize(
    share: MemoryShare,
    wantedBytes: number,
    { isStream = false }: ResizeOptions,
  ): Promise<void> | void {
    // What is larger than the budget takes all of its part.
    const bytes = Math.min(wantedBytes, this.limitBytes * (isStream ? STREAMS_PART : LARGE_PART));
    const isQueueing = bytes > SMALL_SHARE_BYTES && this.#waiters.some((one) => one.isStream === isStream);
    if (bytes <= share.bytes || (!isQueueing && this.#fits(share, bytes, isStream))) {
      this.#set(share, bytes, isStream);
      return;
    }
    this.#timer ??= setInterval(() => this.#revokeIdle(), REVOKE_INTERVAL_MS).unref();
    return new Promise<void>((resolve, reject) => {
      const timer = isStream
        ? undefined
        : setTimeout(() => this.#drop(waiter, full(this.#patienceMs)), this.#patienceMs);
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        how();
      };
      const waiter: Waiter = {
        share,
        bytes,
        isStream,
        grant: () => settle(resolve),
        refuse: (error) => settle(() => reject(error)),
      };
      this.#waiters.push(waiter);
    });
  }

  #fits(share: MemoryShare, bytes: number, isStream: boolean): boolean {
    const added = bytes - share.bytes;
    if (bytes <= SMALL_SHARE_BYTES) return this.#usedBytes + added <= this.limitBytes;
    if (isStream && this.#streamBytes + added > this.limitBytes * STREAMS_PART) return false;
    return this.#usedBytes + added <= this.limitBytes * LARGE_PART;
  }

  #set(share: MemoryShare, bytes: number, isStream: boolean): void {
    const added = bytes - share.bytes;
    this.#usedBytes += added;
    if (isStream) this.#streamBytes += added;
    share.bytes = bytes;
    share.isStream = isStream;
    if (added < 0) this.#serve();
  }

  #serve(): void {
    const blocked = new Set<boolean>();
    for (const waiter of [...this.#waiters]) {
      const { share, bytes, isStream } = waiter;
      const isLarge = bytes > SMALL_SHARE_BYTES;
      if ((isLarge && blocked.has(isStream)) || !this.#fits(share, bytes, isStream)) {
        if (isLarge) blocked.add(isStream);
        continue;
      }
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      this.#set(share, bytes, isStream);
      waiter.grant();
    }
  }

  #drop(waiter: Waiter, error: Error): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.refuse(error);
    this.#serve();
  }

  #release(share: MemoryShare): void {
    this.#shares.delete(share);
    const waiter = this.#waiters.find((one) => one.share === share);
    if (waiter !== undefined) this.#drop(waiter, new UnavailableError('client-gone', 'the request is over'));
    this.#set(share, 0, share.isStream);
  }

  #revokeIdle(): void {
    if (this.#waiters.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const idle = [...this.#shares].filter((share) => share.bytes > 0 && share.idleMs >= this.#idleMs);
    const largest = idle.sort((a, b) => b.bytes - a.bytes)[0];
    largest?.revoke(idleClient(this.#idleMs));
  }
}

/** Opens a share for each request; {@link shareOf} returns it. It is released when the response is sent. */
export function shareMemory(budget: MemoryBudget): RequestHandler {
  return (_req, res, next) => {
    const share = budget.open();
    res.locals.memory = share;
    res.once('close', () => share.release());
    next();
  };
}

/** The part of the memory budget that a request has. */
export function shareOf(req: Request): MemoryShare {
  return req.res?.locals.memory;
}

/** What a share calls in its budget. */
interface ShareDeps {
  resize: (bytes: number, options: ResizeOptions) => Promise<void> | void;
  release: () => void;
}

/** The part of the budget that one request has. */
export class MemoryShare {
  /** Current size; set by the budget. */
  bytes = 0;
  /** Whether a stream has taken it; set by the budget. */
  isStream = false;
  readonly #deps: ShareDeps;
  #isReleased = false;
  #onRevoke: ((error: Error) => void) | undefined;
  #waitingSince = 0;
  /** Time spent waiting for the client, and bytes it moved, since it last made progress. */
  #waitedMs = 0;
  #movedBytes = 0;

  constructor(deps: ShareDeps) {
    this.#deps = deps;
  }

  /** Time for which the client has been idle; 0 while the producer does not wait for it. */
  get idleMs(): number {
    return this.#onRevoke === undefined ? 0 : this.#waitedMs + performance.now() - this.#waitingSince;
  }

  /**
   * Sets the size; waits until the budget has room for a larger one. Calls must not overlap.
   * @throws {UnavailableError} `overloaded` when there is no room in time
   */
  async resize(bytes: number, options: ResizeOptions = {}): Promise<void> {
    if (!this.#isReleased) await this.#deps.resize(bytes, options);
  }

  /** Marks the start of a wait for the client, during which the share may be revoked. */
  waitForClient(onRevoke: (error: Error) => void): void {
    this.#onRevoke = onRevoke;
    this.#waitingSince = performance.now();
  }

  /** Marks the end of the wait. @param bytes that the client sent or read */
  clientMoved(bytes: number): void {
    this.#waitedMs += performance.now() - this.#waitingSince;
    this.#onRevoke = undefined;
    this.#movedBytes += bytes;
    if (this.#movedBytes < Math.max(PROGRESS_BYTES, this.bytes * PROGRESS_PART)) return;
    this.#waitedMs = 0;
    this.#movedBytes = 0;
  }

  /** Called by the budget: ends the wait for the client. */
  revoke(error: Error): void {
    this.#onRevoke?.(error);
    this.#onRevoke = undefined;
  }

  /** Gives everything back; later calls have no effect. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#deps.release();
  }
}

function full(patienceMs: number): UnavailableError {
  return new UnavailableError(
    'overloaded',
    `the memory of the producer was in use for ${patienceMs / SECOND} s; send the request again in ${RETRY_SECONDS} s`,
    { facts: { retryAfterSeconds: RETRY_SECONDS } },
  );
}

function idleClient(idleMs: number): UnavailableError {
  return new UnavailableError(
    'overloaded',
    `too few bytes were sent or read in ${idleMs / SECOND} s while other requests waited for memory; send the request again`,
    { facts: { retryAfterSeconds: RETRY_SECONDS } },
  );
}
