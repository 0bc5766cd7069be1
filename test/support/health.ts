/** The health of a producer of which a test states only what matters. */

import type { Health } from '@embedmill/contract';
import { type HealthFacts, healthOf } from '@embedmill/producer';

/** An idle producer with one worker and nothing wrong, except for what is given. */
export function testHealth(given: Partial<HealthFacts> = {}): Health {
  return healthOf({
    redisFault: null,
    folderWaitsFor: null,
    diskFault: null,
    freeBytes: 1e12,
    neededBytes: 0,
    isRedisFull: false,
    policyFault: null,
    collectingFault: null,
    workers: 1,
    waitingRuns: [],
    activeRuns: 0,
    backlogRows: 0,
    rowsPerSecond: 0,
    idleMs: 0,
    cpuSaturation: null,
    throttledWorkers: [],
    growth: null,
    ...given,
  });
}
