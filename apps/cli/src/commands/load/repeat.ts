/** Repeats what fails for a reason that may pass; the loads call it for each request. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';

/** Waits between the attempts of one request, in ms: a store that restarts is back within half a minute. */
const WAITS_MS = [500, 2_000, 8_000, 20_000];

/** How a request is repeated. */
export interface Repetition {
  /** Says why a request is repeated. */
  onRetry: (reason: string) => void;
  signal: AbortSignal;
}

/** Calls `request` until it succeeds. @throws what it throws last, or what is not retryable */
export async function repeat<T>(request: () => Promise<T>, { onRetry, signal }: Repetition): Promise<T> {
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
