/** The faults of a chaos run, drawn from a seed; the same seed gives the same plan. */

import { seededRandom } from '../support/seeded-random.ts';

/** Kinds of faults. */
export const FAULTS = [
  'kill-worker',
  'freeze-worker',
  'kill-producer',
  'kill-redis',
  'empty-redis',
  'freeze-redis',
  'reset-network',
  'freeze-network',
  'slow-network',
  'half-open-network',
] as const;

/** One fault. */
export interface PlannedFault {
  /** Pause between the end of the previous fault and the start of this one. */
  waitMs: number;
  kind: (typeof FAULTS)[number];
  /** Duration; ignored for an instantaneous fault. */
  lastsMs: number;
  /** Index of the affected worker; ignored for other faults. */
  worker: number;
}

/** An endless sequence of faults. @param workers number of workers */
export function* planFaults(seed: number, workers: number): Generator<PlannedFault, never> {
  const random = seededRandom(seed);
  const upTo = (max: number) => Math.floor(random() * max);
  for (;;) {
    yield {
      waitMs: 1000 + upTo(4000),
      kind: FAULTS[upTo(FAULTS.length)]!,
      lastsMs: 500 + upTo(5000),
      worker: upTo(workers),
    };
  }
}
