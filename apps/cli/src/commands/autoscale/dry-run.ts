/** Replicas that are counted but never changed, for `embedmill autoscale --dry-run`. */

import type { Replicas } from './types.ts';

/** Begins with what runs, and goes on as if every change were made; `onNote` is told what is not done. */
export function pretend(real: Replicas, onNote: (line: string) => void): Replicas {
  let pretended: number | undefined;
  return {
    running: async () => pretended ?? (await real.running()),
    scale: async (replicas) => {
      pretended = replicas;
      onNote(`dry run, not done: ${real.describe(replicas)}`);
    },
    describe: (replicas) => real.describe(replicas),
  };
}
