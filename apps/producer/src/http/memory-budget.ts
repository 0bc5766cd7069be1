/**
 * One budget of bytes for everything that requests keep in the producer's memory: bodies, rows that wait to be
 * written, texts whose vectors are awaited, and answers that wait for their reader.
 *
 * A request has one share, which grows before bytes are read and shrinks once they are written:
 *
 * - A share that fits grows at once. Otherwise it waits, the oldest share first, so that requests are finished
 *   one after the other rather than all of them halfway.
 * - Large shares use at most three quarters of the budget; the rest is for small requests.
 * - While something waits, shares whose client neither sends nor reads are revoked, the largest first.
 * - If nothing moves for a second, because shares wait for each other, the oldest one may exceed the budget.
 *   Only one share does so at a time.
 */

import { totalmem } from 'node:os';
import { UnavailableError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { Request, RequestHandler } from 'express';

const KILOBYTE = 1024;
const SECOND = 1000;

/** Shares up to this size may use the whole budget. */
const SMALL_SHARE_BYTES = 256 * KILOBYTE;
/** Part of the budget for larger shares. */
const LARGE_SHARES_PART = 0.75;
/** Interval at which waiting shares are examined. */
const TICK_MS = SECOND;
/** A client that moves fewer bytes than this in `idleMs` is idle. */
const PROGRESS_BYTES = 64 * KILOBYTE;
/** `Retry-After` of a request that found no room. */
const RETRY_SECONDS = 5;

/** Part of the memory limit that the budget takes by default, and its bounds. */
const DEFAULT_PART = 1 / 4;
const MIN_DEFAULT_BYTES = 64 * KILOBYTE * KILOBYTE;
const MAX_DEFAULT_BYTES = 1024 * KILOBYTE * KILOBYTE;

/** The configured budget, or a quarter of the memory limit of this process (cgroup or machine). */
export function memoryBudgetBytes({ producerMemoryBytes }: Pick<Config, 'producerMemoryBytes'>): number {
  // Without a limit, Node reports 0 or a number beyond the memory of any machine.
  const available = Math.min(process.constrainedMemory() || totalmem(), totalmem());
  return (
    producerMemoryBytes ?? Math.min(MAX_DEFAULT_BYTES, Math.max(MIN_DEFAULT_BYTES, available * DEFAULT_PART))
  );
}

/** Times of a budget; tests shorten them. */
export interface MemoryBudgetOptions {
  /** Maximum wait of a request that its sender can repeat. Default: 4 s. */
  patienceMs?: number;
  /** Time after which the share of an idle client may be revoked. Default: 10 s. */
  idleMs?: number;
}

/** How long a share waits to grow. */
export interface GrowOptions {
  /** Whether it waits without a limit, as a stream does, which is slowed down instead. Default: false. */
  isStream?: boolean;
}

/** A share that waits to become larger. */
interface Waiter {
  share: MemoryShare;
  bytes: number;
  grant: () => void;
  refuse: (error: Error) => void;
}

/** Counts the bytes of all shares. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #patienceMs: number;
  readonly #idleMs: number;
  readonly #shares = new Set<MemoryShare>();
  /** Ordered by the age of the shares. */
  readonly #waiters: Waiter[] = [];
  #usedBytes = 0;
  #exceeding: MemoryShare | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasMoved = false;
  #nextAge = 0;

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
    const share: MemoryShare = new MemoryShare(this.#nextAge++, {
      resize: (bytes, options) => this.#resize(share, bytes, options),
      release: () => this.#release(share),
    });
    this.#shares.add(share);
    return share;
  }

  #resize(share: MemoryShare, bytes: number, { isStream = false }: GrowOptions): Promise<void> | void {
    if (bytes <= share.bytes || (!this.#mustQueue(share, bytes) && this.#fits(share, bytes))) {
      this.#set(share, bytes);
      this.#serve();
      return;
    }
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return new Promise<void>((resolve, reject) => {
      const patienceMs = this.#patienceMs;
      const timer = isStream ? undefined : setTimeout(() => drop(full(patienceMs)), patienceMs);
      const waiter: Waiter = {
        share,
        bytes,
        grant: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const drop = (error: Error): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.refuse(error);
        this.#serve();
      };
      const place = this.#waiters.findIndex((other) => other.share.age > share.age);
      this.#waiters.splice(place < 0 ? this.#waiters.length : place, 0, waiter);
    });
  }

  /** Large shares queue behind older ones; small ones overtake, since they have room of their own. */
  #mustQueue(share: MemoryShare, bytes: number): boolean {
    const first = this.#waiters[0];
    return first !== undefined && bytes > SMALL_SHARE_BYTES && first.share.age < share.age;
  }

  #fits(share: MemoryShare, bytes: number): boolean {
    const limit = bytes <= SMALL_SHARE_BYTES ? this.limitBytes : this.limitBytes * LARGE_SHARES_PART;
    const others = this.#usedBytes - share.bytes;
    // A share larger than the whole budget is admitted alone.
    return others === 0 || others + bytes <= limit;
  }

  #set(share: MemoryShare, bytes: number): void {
    this.#usedBytes += bytes - share.bytes;
    if (bytes < share.bytes) {
      this.#hasMoved = true;
      if (this.#exceeding === share && this.#usedBytes <= this.limitBytes) this.#exceeding = undefined;
    }
    share.bytes = bytes;
  }

  #serve(): void {
    let isLargeWaiting = false;
    for (let i = 0; i < this.#waiters.length; ) {
      const { share, bytes } = this.#waiters[i]!;
      const isLarge = bytes > SMALL_SHARE_BYTES;
      if (!(isLarge && isLargeWaiting) && this.#fits(share, bytes)) this.#grant(i);
      else {
        isLargeWaiting ||= isLarge;
        i += 1;
      }
    }
  }

  #grant(place: number): void {
    const [waiter] = this.#waiters.splice(place, 1);
    if (waiter === undefined) return;
    this.#set(waiter.share, waiter.bytes);
    this.#hasMoved = true;
    waiter.grant();
  }

  #release(share: MemoryShare): void {
    this.#shares.delete(share);
    const place = this.#waiters.findIndex((waiter) => waiter.share === share);
    if (place >= 0)
      this.#waiters.splice(place, 1)[0]?.refuse(new UnavailableError('client-gone', 'the request is over'));
    this.#set(share, 0);
    if (this.#exceeding === share) this.#exceeding = undefined;
    this.#serve();
  }

  #tick(): void {
    if (this.#waiters.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const idle = [...this.#shares]
      .filter((share) => share.bytes > 0 && share.idleMs >= this.#idleMs)
      .sort((a, b) => b.bytes - a.bytes)[0];
    if (idle !== undefined) idle.revoke(idleClient(this.#idleMs));
    else if (!this.#hasMoved && this.#exceeding === undefined) {
      this.#exceeding = this.#waiters[0]!.share;
      this.#grant(0);
    }
    this.#hasMoved = false;
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
  resize: (bytes: number, options: GrowOptions) => Promise<void> | void;
  release: () => void;
}

/** The part of the budget that one request has. */
export class MemoryShare {
  /** Shares are numbered as they are opened. */
  readonly age: number;
  /** Current size; set by the budget. */
  bytes = 0;
  readonly #deps: ShareDeps;
  #isReleased = false;
  #onRevoke: ((error: Error) => void) | undefined;
  #waitingSince = 0;
  /** Time spent waiting for the client, and bytes it moved, since it last made progress. */
  #waitedMs = 0;
  #movedBytes = 0;

  constructor(age: number, deps: ShareDeps) {
    this.age = age;
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
  async resize(bytes: number, options: GrowOptions = {}): Promise<void> {
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
    if (this.#movedBytes < PROGRESS_BYTES) return;
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
    `fewer than ${PROGRESS_BYTES} bytes were sent or read in ${idleMs / SECOND} s while other requests waited for memory; ` +
      'send the request again',
    { facts: { retryAfterSeconds: RETRY_SECONDS } },
  );
}
