/** Repeats requests to stores that fail temporarily. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';

/** Pauses between attempts in ms: a restarted store is back within half a minute. */
const WAITS_MS = [500, 2_000, 8_000, 20_000];

/** Dependencies of {@link retryRequest}. */
export interface RetryDeps {
  /** Receives the reason before each retry. */
  onRetry: (reason: string) => void;
  /** Ends the retries; its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Calls `request` until it succeeds, at most five times.
 * @throws its last error, or the first that is not retryable
 */
export async function retryRequest<T>(request: () => Promise<T>, { onRetry, signal }: RetryDeps): Promise<T> {
  for (const waitMs of WAITS_MS) {
    signal.throwIfAborted();
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof EmbedmillError && error.retryable)) throw error;
      onRetry(error.message);
      await sleep(waitMs, undefined, { signal });
    }
  }
  signal.throwIfAborted();
  return request();
}
