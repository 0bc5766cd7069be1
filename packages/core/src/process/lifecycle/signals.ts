/** Waits for the signal to stop, and reports readiness to the parent process. */

/** Why a process stops: a signal, or the end of the parent process (its IPC channel closed). */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'disconnect';

/**
 * Resolves with the first reason to stop. A second signal exits immediately with code 130.
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

/** Reports to the parent process over the IPC channel, if there is one, that this process is ready. */
export function announce(message: { ready: true; url: string }): void {
  process.send?.(message);
}
