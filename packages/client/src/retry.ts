/** Retries requests that fail temporarily. */

import { PassingFault } from './errors.ts';

/** How long to retry, and what to report. */
export interface RetryOptions {
  /** Ends the retries; the signal's reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Receives the error message before each pause, and `null` when the request succeeds after a pause. */
  onWait?: ((reason: string | null) => void) | undefined;
  /** Time after which the failure is thrown, in milliseconds. Default: never. */
  patienceMs?: number | undefined;
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/**
 * Calls `request` until it succeeds or fails permanently. The pause is the one requested by the producer, or
 * doubles from 0.25 s to 5 s.
 * @throws the permanent error, the signal's reason, or the last {@link PassingFault} once `patienceMs` has
 * passed
 */
export async function withRetry<Value>(
  request: () => Promise<Value>,
  { signal, onWait, patienceMs = Number.POSITIVE_INFINITY }: RetryOptions = {},
): Promise<Value> {
  const startedAt = performance.now();
  let hasWaited = false;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
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

/** Resolves after `ms` milliseconds, or as soon as the signal is aborted. */
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
