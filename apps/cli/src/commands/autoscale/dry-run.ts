/** Simulates scaling, for `embedmill autoscale --dry-run`. */

import type { Replicas } from './types.ts';

/**
 * Starts with the real number of replicas, then simulates every change; `onNote` receives the commands not
 * run.
 */
export function dryRun(real: Replicas, onNote: (line: string) => void): Replicas {
  let simulated: number | undefined;
  return {
    running: async () => simulated ?? (await real.running()),
    scale: async (replicas) => {
      simulated = replicas;
      onNote(`dry run, not executed: ${real.describe(replicas)}`);
    },
    describe: (replicas) => real.describe(replicas),
  };
}
