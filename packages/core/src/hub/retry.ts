/** Repeats requests to a hub after temporary failures. */

import { setTimeout as sleep } from 'node:timers/promises';
import { HubError } from './hub-error.ts';
import type { HubOptions } from './options.ts';

/** Attempts in a row without progress. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 500;
/** Longest `Retry-After` that is waited for; a person gets a message instead of a longer wait. */
const MAX_WAIT_MS = 30_000;

/**
 * Calls `step` until it succeeds, up to five times in a row without progress.
 * @param progress a number that grows when a failed step was not in vain
 */
export async function withRetries<Value>(
  { retryMs = RETRY_MS }: Pick<HubOptions, 'retryMs'>,
  signal: AbortSignal,
  step: () => Promise<Value>,
  progress: () => number = () => 0,
): Promise<Value> {
  let reached = progress();
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof HubError) || !error.retryable) throw error;
      if (progress() > reached) attempt = 1;
      reached = progress();
      const stated = Number(error.facts?.retryAfterSeconds ?? 0) * 1000;
      if (attempt >= MAX_ATTEMPTS || stated > MAX_WAIT_MS) throw error;
      await sleep(Math.max(stated, retryMs * 2 ** (attempt - 1)), undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }
}
