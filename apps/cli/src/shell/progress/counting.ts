/** Shows work that is nothing but rows one after the other: reading a file, embedding a list of texts. */

import { emptyVerdictCounts } from '@embedmill/contract';
import type { ProgressDisplay } from './types.ts';

/** Shows `done` rows of `total` (`null` while nobody can say) on the display, with the speed since the first call of this. */
export function countingOn(display: ProgressDisplay, total: number | null): (done: number) => void {
  const startedAt = performance.now();
  return (done) => {
    const seconds = (performance.now() - startedAt) / 1000;
    display.show({
      rowsDone: done,
      rowsTotal: total,
      isEstimate: false,
      rowsPerSecond: seconds > 0 ? done / seconds : 0,
      tokensPerSecond: null,
      verdicts: emptyVerdictCounts(),
      waitingFor: null,
    });
  };
}
