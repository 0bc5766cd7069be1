/** Runs a long computation in steps, so that progress is shown and Ctrl-C is noticed. */

import { setImmediate } from 'node:timers/promises';
import type { Steps } from '@embedmill/analysis';

/** Computing time between two checks of the signal. */
const SLICE_MS = 50;

/**
 * Runs all steps and returns the result.
 * @param options.onShare receives the fraction done, from 0 to 1
 * @throws the signal's reason
 */
export async function takeSteps<Result>(
  steps: Steps<Result>,
  { onShare, signal }: { onShare: (share: number) => void; signal: AbortSignal },
): Promise<Result> {
  for (let until = performance.now() + SLICE_MS; ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    onShare(step.value);
    await setImmediate();
    signal.throwIfAborted();
    until = performance.now() + SLICE_MS;
  }
}
