/** Waits for what ends a process. */

/** What ended it: a signal, or the end of the process that started it and speaks to it over a channel. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'disconnect';

/**
 * Resolves with the first reason to stop; a second signal ends the process at once, for people who cannot
 * wait.
 */
export function whenStopped(): Promise<StopReason> {
  return new Promise((resolve) => {
    let received = false;
    const stop = (reason: StopReason) => {
      if (received && reason !== 'disconnect') process.exit(130);
      received = true;
      resolve(reason);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.once('disconnect', () => stop('disconnect'));
  });
}

/** Tells the process that started this one, if there is a channel to it, that this one is ready. */
export function announce(message: { ready: true; url: string }): void {
  process.send?.(message);
}
