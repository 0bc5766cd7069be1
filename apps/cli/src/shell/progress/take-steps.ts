/** Takes the steps of a long computation with progress on the display and an ear for Ctrl-C. */

import { setImmediate } from 'node:timers/promises';
import type { Steps } from '@embedmill/analysis';

/** Milliseconds of computing between two looks at the signal. */
const SLICE_MS = 50;

/** @throws the signal's reason */
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
