/** Repeats a step until it succeeds or fails for a lasting reason; the worker's way through an outage of Redis. */

import { setTimeout as sleep } from 'node:timers/promises';

/** How to repeat. */
export interface PatienceOptions {
  /** True for a fault that will pass. */
  isPassing: (error: unknown) => boolean;
  /** Ends the repeating. */
  signal: AbortSignal;
  /** Called before a pause, at most once in ten seconds. */
  onWait: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const REPORT_INTERVAL_MS = 10_000;

/** @throws the error of the step when it is lasting, or the last passing one when the signal is aborted */
export async function retryUntil<Value>(
  step: () => Promise<Value>,
  options: PatienceOptions,
): Promise<Value> {
  let reportAt = 0;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await step();
    } catch (error) {
      if (!options.isPassing(error) || options.signal.aborted) throw error;
      if (performance.now() >= reportAt) {
        reportAt = performance.now() + REPORT_INTERVAL_MS;
        options.onWait(error);
      }
      await sleep(pauseMs, undefined, { signal: options.signal }).catch(() => {});
    }
  }
}
