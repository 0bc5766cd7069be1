/** Shows the progress of sequential work, such as reading a file. */

import { emptyVerdictCounts } from '@embedmill/contract';
import type { ProgressDisplay } from './types.ts';

/**
 * Returns a function that shows the number of rows done, of `total` (`null` if unknown), and the mean rate
 * since now.
 */
export function countRows(display: ProgressDisplay, total: number | null): (done: number) => void {
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
