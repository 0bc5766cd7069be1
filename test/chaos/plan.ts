/** The faults of a chaos run, drawn from a seed; the same seed and kinds give the same plan. */

import { seededRandom } from '../support/seeded-random.ts';

/** Kinds of faults. */
export const FAULTS = [
  'kill-worker',
  'freeze-worker',
  'kill-producer',
  'replace-producer',
  'kill-redis',
  'empty-redis',
  'freeze-redis',
  'lost-keys',
  'reset-network',
  'freeze-network',
  'slow-network',
  'slow-link',
  'half-open-network',
  'stale-folder',
  'read-only-folder',
] as const;

/** Kind of a fault. */
export type FaultKind = (typeof FAULTS)[number];

/** One fault. */
export interface PlannedFault {
  /** Pause between the end of the previous fault and the start of this one. */
  waitMs: number;
  kind: FaultKind;
  /** Duration; ignored for an instantaneous fault. */
  lastsMs: number;
  /** Index of the affected worker; ignored for other faults. */
  worker: number;
  /** Number from 0 to below 1 that decides what else the kind leaves open. */
  choice: number;
}

/** Kinds of a list separated by commas; all for an empty one. Throws for a kind that does not exist. */
export function parseKinds(list: string): readonly FaultKind[] {
  if (list === '') return FAULTS;
  return list.split(',').map((name) => {
    const kind = FAULTS.find((known) => known === name.trim());
    if (kind === undefined) throw new Error(`--kinds: expected kinds of ${FAULTS.join(', ')}; got "${name}"`);
    return kind;
  });
}

/** An endless sequence of faults. @param workers number of workers */
export function* planFaults(
  seed: number,
  workers: number,
  kinds: readonly FaultKind[] = FAULTS,
): Generator<PlannedFault, never> {
  const random = seededRandom(seed);
  const upTo = (max: number) => Math.floor(random() * max);
  for (;;) {
    yield {
      waitMs: 1000 + upTo(4000),
      kind: kinds[upTo(kinds.length)]!,
      lastsMs: 500 + upTo(5000),
      worker: upTo(workers),
      choice: random(),
    };
  }
}
