/** Repeats a request while its fault passes. */

import { PassingFault } from './errors.ts';

/** How long to repeat, and who is told. */
export interface RetryOptions {
  /** Ends the waiting; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Told what is waited for before each pause, and `null` when the request went through. */
  onWait?: ((reason: string | null) => void) | undefined;
  /** Time after which the fault is thrown instead. Default: never. */
  patienceMs?: number | undefined;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Tries `request` until it succeeds or fails for a lasting reason. A pause is what the producer asked for, or doubles from
 * 0.25 s to 5 s.
 * @throws the lasting error, the signal's reason, or the {@link PassingFault} that outlasted the patience
 */
export async function withRetry<Value>(
  request: () => Promise<Value>,
  { signal, onWait, patienceMs = Number.POSITIVE_INFINITY }: RetryOptions = {},
): Promise<Value> {
  const startedAt = performance.now();
  let hasWaited = false;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      const value = await request();
      if (hasWaited) onWait?.(null);
      return value;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof PassingFault)) throw error;
      const nextMs = error.retryAfterMs ?? pauseMs;
      if (performance.now() - startedAt + nextMs > patienceMs) throw error;
      onWait?.(error.message);
      hasWaited = true;
      await pause(nextMs, signal);
      signal?.throwIfAborted();
    }
  }
}

/** Resolves after a time, or at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end);
  });
}
