/** Retention of finished runs: when a run expires, and which clock decides. */

import { RequestError } from '@embedmill/contract';
import { steadyNow } from '../process/steady-clock.ts';
import type { Run } from './run.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Latest time of a `Date`. */
const MAX_TIME_MS = 8.64e15;

/**
 * When a finished run expires, as ISO 8601; `null` for never, and for an active run.
 * @param keepRunsDays days for runs without a time of their own; `undefined` keeps them until they are deleted
 */
export function expiryOf(
  { keptFrom, keepDays }: Pick<Run, 'keptFrom' | 'keepDays'>,
  keepRunsDays: number | undefined,
): string | null {
  const days = keepDays ?? keepRunsDays;
  if (keptFrom === null || days === undefined) return null;
  return new Date(Math.min(keptFrom + days * DAY_MS, MAX_TIME_MS)).toISOString();
}

/**
 * The time by which runs expire, in milliseconds since 1970. Of the clock of the machine and the one that is never set,
 * the one that is behind: a clock that jumps forward while the producer runs deletes nothing.
 */
export function retentionNow(): number {
  return Math.min(Date.now(), steadyNow());
}

/**
 * @throws {RequestError} `run-not-finished` for an active run, `run-in-use` for one that is being read
 */
export function assertUnused(run: Pick<Run, 'id' | 'isActive' | 'isHeld' | 'state'>): void {
  if (run.isActive) {
    throw new RequestError('run-not-finished', `run ${run.id} is ${run.state}; it has not ended`, {
      facts: { state: run.state },
    });
  }
  if (run.isHeld) throw new RequestError('run-in-use', `run ${run.id} is being read`);
}
