/** The faults of a chaos run, drawn from a seed; the same seed gives the same plan. */

import { seededRandom } from '../support/seeded-random.ts';

/** What can happen. */
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
  /** Pause before it, after the fault before it is over. */
  waitMs: number;
  kind: (typeof FAULTS)[number];
  /** How long it lasts, for one that lasts. */
  lastsMs: number;
  /** Which of the workers, for one that hits a worker. */
  worker: number;
}

/** Faults without an end. */
export function* planFaults(seed: number, workers: number): Generator<PlannedFault, never> {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * most);
  for (;;) {
    yield {
      waitMs: 1000 + upTo(4000),
      kind: FAULTS[upTo(FAULTS.length)]!,
      lastsMs: 500 + upTo(5000),
      worker: upTo(workers),
    };
  }
}
