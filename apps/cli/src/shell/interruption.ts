/** Turns the signals that end a command into one that its parts listen to. */

import { whenStopped } from '@embedmill/core/process';
import { Interrupted } from './exit-codes.ts';

/**
 * Aborted with {@link Interrupted} at the first Ctrl-C or SIGTERM; `onInterrupt` is called first. A second one ends the
 * process at once; children see their channel close and end too.
 */
export function interruptionSignal(onInterrupt: () => void): AbortSignal {
  const controller = new AbortController();
  void whenStopped().then(() => {
    onInterrupt();
    controller.abort(new Interrupted());
  });
  return controller.signal;
}
