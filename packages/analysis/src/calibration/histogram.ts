/** Counts scored pairs by score; `calibrate` calls it for the plot. */

import type { ScoreBin, ScoredPair } from './types.ts';

/** Bins of equal width from the least to the largest score; one bin when all scores are equal. */
export function histogramOf(pairs: readonly ScoredPair[], bins: number): ScoreBin[] {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { score } of pairs) {
    least = Math.min(least, score);
    largest = Math.max(largest, score);
  }
  if (!(largest > least)) bins = 1;
  const width = (largest - least) / bins;
  const counts = Array.from({ length: bins }, () => ({ same: 0, different: 0 }));
  for (const { score, same } of pairs) {
    const bin = counts[width > 0 ? Math.min(bins - 1, Math.floor((score - least) / width)) : 0]!;
    if (same) bin.same += 1;
    else bin.different += 1;
  }
  return counts.map((count, n) => ({
    from: least + n * width,
    to: n === bins - 1 ? largest : least + (n + 1) * width,
    ...count,
  }));
}
