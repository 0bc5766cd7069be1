/** Waits for the signal to stop, and reports readiness to the parent process. */

/** Why a process stops: a signal, or the end of the parent process (its IPC channel closed). */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'disconnect';

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
    // A terminal that is closed.
    process.on('SIGHUP', stop);
    process.once('disconnect', () => stop('disconnect'));
  });
}

/** Time beyond `shutdownMs` after which a process ends that has not stopped. */
const MARGIN_MS = 2_500;

/**
 * Runs a service until there is a reason to stop, then stops it. The process ends at the latest `shutdownMs` and 2.5 s later, also
 * while the service is still starting or a connection to an unreachable Redis blocks it: others repeat unfinished work.
 * @returns the exit code: 0, or 1 if the service cannot continue
 */
export async function runUntilStopped<Service extends { whenBroken: Promise<Error>; stop(): Promise<void> }>({
  start,
  shutdownMs,
  onStarted,
  onStop,
}: {
  start: () => Promise<Service>;
  shutdownMs: number;
  onStarted: (service: Service) => void;
  /** Called before the service is stopped: a signal, or why it cannot continue. */
  onStop: (reason: StopReason | Error) => void;
}): Promise<number> {
  const stopReason = whenStopped();
  void stopReason.then(() => {
    setTimeout(() => process.exit(1), shutdownMs + MARGIN_MS).unref();
  });
  const starting = start();
  starting.then(onStarted).catch(() => {});
  const reason = await Promise.race([stopReason, starting.then((service) => service.whenBroken)]);
  onStop(reason);
  await (await starting).stop();
  return reason instanceof Error ? 1 : 0;
}

/** What a process reports to its parent over the IPC channel. */
export type ChildReport =
  | { ready: true; url: string }
  /** It ends, and another start would end for the same reason. */
  | { ready: false; reason: string };

/** Reports to the parent process, if there is an IPC channel. */
export function announce(report: ChildReport): void {
  process.send?.(report);
}
