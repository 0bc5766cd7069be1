/**
 * Repeats a step until it succeeds or fails permanently; this is how a worker survives an outage of Redis.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { throttled } from '@embedmill/core/process';

/** Which errors are retried, and until when. */
export interface RetryOptions {
  /** Returns true for a temporary error. */
  isTemporary: (error: unknown) => boolean;
  /** Stops the retries. */
  signal: AbortSignal;
  /** Called before a pause, at most once every 10 seconds. */
  onWait: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
const REPORT_INTERVAL_MS = 10_000;

/**
 * Runs a step, with pauses that double from 100 ms to 2 s after temporary errors.
 * @throws the error of the step if it is permanent, or the last temporary one once the signal is aborted
 */
export async function retryUntil<Value>(
  step: () => Promise<Value>,
  { isTemporary, signal, onWait }: RetryOptions,
): Promise<Value> {
  const report = throttled(REPORT_INTERVAL_MS, onWait);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await step();
    } catch (error) {
      if (!isTemporary(error) || signal.aborted) throw error;
      report(error);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}
