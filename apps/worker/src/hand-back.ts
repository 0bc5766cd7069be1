/** Computes when a batch that this worker cannot do is delivered again. */

/** Delays while a connected worker can do the batch: short, because it may be idle. */
const SHORT = { firstMs: 250, maxMs: 5_000 };

/** Delays while none can: many such batches must not slow other work. */
const LONG = { firstMs: 2_000, maxMs: 60_000 };

/**
 * Returns the delay in milliseconds. It doubles with each delivery, and half of it is random: batches that are
 * due at the same moment would all go to the worker that wakes first, which may be this one again.
 * @param starts deliveries of the batch so far, including this one
 * @param hasWorker whether a connected worker can do the batch
 */
export function handBackDelay(starts: number, hasWorker: boolean): number {
  const { firstMs, maxMs } = hasWorker ? SHORT : LONG;
  const delay = Math.min(firstMs * 2 ** Math.max(0, starts - 1), maxMs);
  return delay * (0.5 + Math.random() / 2);
}
