/** Repeats a request while its fault passes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { PassingFault } from './errors.ts';

/** How long to repeat, and who is told. */
export interface Patience {
  /** Ends the waiting; its reason is thrown. */
  signal: AbortSignal;
  /** Told what is waited for before each pause, and `null` when the request went through. */
  onWait: (reason: string | null) => void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Tries `request` until it succeeds or fails for a lasting reason. A pause is what the producer asked for, or doubles from
 * 0.25 s to 5 s.
 * @throws the lasting error, or the signal's reason
 */
export async function withPatience<Value>(request: () => Promise<Value>, patience: Patience): Promise<Value> {
  let hasWaited = false;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      const value = await request();
      if (hasWaited) patience.onWait(null);
      return value;
    } catch (error) {
      patience.signal.throwIfAborted();
      if (!(error instanceof PassingFault)) throw error;
      patience.onWait(error.message);
      hasWaited = true;
      await sleep(error.retryAfterMs ?? pauseMs, undefined, { signal: patience.signal }).catch(() => {});
      patience.signal.throwIfAborted();
    }
  }
}
