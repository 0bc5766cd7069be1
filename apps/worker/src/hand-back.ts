/** Computes when work that this worker cannot do is delivered again. */

/** A delay that doubles with each delivery. */
interface DoublingDelay {
  /** Milliseconds after the first delivery. */
  firstMs: number;
  maxMs: number;
}

/** Delays of a batch while a connected worker can do it: short, because it may be idle. */
const SHORT: DoublingDelay = { firstMs: 250, maxMs: 5_000 };

/** Delays while none can: many such batches must not slow other work. */
const LONG: DoublingDelay = { firstMs: 2_000, maxMs: 60_000 };

/**
 * Returns the delay of a batch in milliseconds. Half of it is random: batches that are due at the same moment
 * would all go to the worker that wakes first, which may be this one again.
 * @param starts deliveries of the batch so far, including this one
 * @param hasWorker whether a connected worker can do the batch
 */
export function batchDelay(starts: number, hasWorker: boolean): number {
  const { firstMs, maxMs } = hasWorker ? SHORT : LONG;
  return Math.min(firstMs * 2 ** Math.max(0, starts - 1), maxMs) * (0.5 + Math.random() / 2);
}
