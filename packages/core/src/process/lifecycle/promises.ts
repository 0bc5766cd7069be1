/** Small helpers for promises and timers that Node 20 does not have. */

/** A promise with its resolve and reject functions, like `Promise.withResolvers` of Node 22. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

/** Returns a pending promise that its owner settles from outside. */
export function deferred<Value = void>(): Deferred<Value> {
  let settle!: Pick<Deferred<Value>, 'resolve' | 'reject'>;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

/**
 * Waits until all promises are settled or `timeoutMs` has passed. Returns true if all were settled in time.
 */
export async function settledWithin(
  promises: readonly Promise<unknown>[],
  timeoutMs: number,
): Promise<boolean> {
  const timeout = deferred<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
  const settled = Promise.allSettled(promises).then(() => true);
  const isSettled = await Promise.race([settled, timeout.promise]);
  clearTimeout(timer);
  return isSettled;
}

/** Wraps `action` so that it runs at most once per `intervalMs`; calls in between are dropped. */
export function throttled<Args extends unknown[]>(
  intervalMs: number,
  action: (...args: Args) => void,
): (...args: Args) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  return (...args) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + intervalMs;
    action(...args);
  };
}
