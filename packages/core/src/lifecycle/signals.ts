/** Waits for the signal that ends a process. */

/** Resolves with the first SIGINT or SIGTERM; a second one ends the process at once, for people who cannot wait. */
export function whenSignalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let received = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (received) process.exit(130);
      received = true;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
