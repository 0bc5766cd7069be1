/** Makes sure that a producer or worker that was told to stop does end; the commands that are one call it. */

import { whenStopped } from '@embedmill/core/process';
import { EXIT } from './exit-codes.ts';

/** What a stop may take beyond the time it gives itself. */
const MARGIN_MS = 2_000;

/**
 * Ends the process `shutdownMs` and a little after it was told to stop, if it is still there: a connection to a Redis that
 * is gone may hold it for ever. What is not finished is done again by others.
 */
export function endWithin(shutdownMs: number): void {
  void whenStopped().then(() => {
    setTimeout(() => process.exit(EXIT.failure), shutdownMs + MARGIN_MS).unref();
  });
}
