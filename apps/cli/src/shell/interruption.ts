/** Turns SIGINT and SIGTERM into an AbortSignal. */

import { whenStopped } from '@embedmill/core/process';
import { Interrupted } from './exit-codes.ts';

/**
 * Returns a signal that the first Ctrl-C or SIGTERM aborts with {@link Interrupted}, after calling
 * `onInterrupt`. A second one ends the process at once; child processes notice the closed channel and stop
 * too.
 */
export function interruptionSignal(onInterrupt: () => void): AbortSignal {
  const controller = new AbortController();
  void whenStopped().then(() => {
    onInterrupt();
    controller.abort(new Interrupted());
  });
  return controller.signal;
}
