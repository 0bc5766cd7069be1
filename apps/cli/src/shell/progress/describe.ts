/** The text of a progress display, without colours. */

import { formatClock, formatCount, formatRate } from '../terminal/numbers.ts';
import type { ProgressSnapshot } from './types.ts';

/** The fraction of the work done, from 0 to 1; `null` without a total. */
export function fractionDone({ rowsDone, rowsTotal }: ProgressSnapshot): number | null {
  if (rowsTotal === null) return null;
  return rowsTotal === 0 ? 1 : Math.min(1, rowsDone / rowsTotal);
}

/** `43%`, rounded down, so that `100%` means done; empty without a total. */
export function describePercent(snapshot: ProgressSnapshot): string {
  const fraction = fractionDone(snapshot);
  return fraction === null ? '' : `${Math.floor(fraction * 100)}%`;
}

/** `1,712/4,000 rows`, with `~` before an estimate. */
export function describeRows({ rowsDone, rowsTotal, isEstimate }: ProgressSnapshot): string {
  const total = rowsTotal === null ? '' : `/${isEstimate ? '~' : ''}${formatCount(rowsTotal)}`;
  return `${formatCount(rowsDone)}${total} rows`;
}

/** Rows per second, tokens per second and remaining time; the last two are empty if unknown. */
export function describeSpeed(snapshot: ProgressSnapshot): { rows: string; tokens: string; eta: string } {
  const { rowsDone, rowsTotal, rowsPerSecond, tokensPerSecond } = snapshot;
  const isKnown = rowsTotal !== null && rowsPerSecond > 0 && rowsTotal > rowsDone;
  return {
    rows: `${formatRate(rowsPerSecond)} rows/s`,
    tokens: tokensPerSecond === null ? '' : `${formatRate(tokensPerSecond)} tokens/s`,
    eta: isKnown ? `ETA ${formatClock((rowsTotal - rowsDone) / rowsPerSecond)}` : '',
  };
}

/** `3 truncated, 1 empty`: counts of the verdicts other than `ok`. */
export function describeVerdicts({ verdicts }: ProgressSnapshot): string {
  return (['truncated', 'empty', 'failed'] as const)
    .filter((verdict) => verdicts[verdict] > 0)
    .map((verdict) => `${formatCount(verdicts[verdict])} ${verdict}`)
    .join(', ');
}
