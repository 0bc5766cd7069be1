/** Forces exit when a graceful shutdown overruns. */

import { whenStopped } from '@embedmill/core/process';
import { EXIT } from './exit-codes.ts';

/** Time allowed beyond the shutdown timeout. */
const MARGIN_MS = 2_000;

/**
 * Exits shortly after `shutdownMs` from the signal to stop: a connection to an unreachable Redis may block
 * the shutdown indefinitely. Unfinished work is retried by other processes.
 */
export function endWithin(shutdownMs: number): void {
  void whenStopped().then(() => {
    setTimeout(() => process.exit(EXIT.failure), shutdownMs + MARGIN_MS).unref();
  });
}
