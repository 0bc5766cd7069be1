/** Shows how far a run is, in the way that fits where stderr goes. */

import type { CommandContext } from '../context.ts';
import { paintFor } from '../terminal/style.ts';
import { BarDisplay } from './bar.ts';
import { LineDisplay } from './lines.ts';
import type { ProgressDisplay } from './types.ts';

export { countingOn } from './counting.ts';
export { takeSteps } from './take-steps.ts';
export type { ProgressDisplay, ProgressSnapshot } from './types.ts';

/** Shows nothing, for `--quiet`. */
const silentDisplay: ProgressDisplay = { show: () => {}, note: () => {}, end: () => {} };

/** A bar on a terminal, lines elsewhere, nothing when quiet. */
export function displayFor({ stderr, environment }: CommandContext, quiet: boolean): ProgressDisplay {
  if (quiet) return silentDisplay;
  return stderr.isTTY ? new BarDisplay(stderr, paintFor(stderr, environment)) : new LineDisplay(stderr);
}
