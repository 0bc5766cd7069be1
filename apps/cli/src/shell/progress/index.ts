/** Chooses the progress display for stderr: a bar, lines or nothing. */

import type { CommandContext } from '../context.ts';
import { paintFor } from '../terminal/style.ts';
import { BarDisplay } from './bar.ts';
import { LineDisplay } from './lines.ts';
import type { ProgressDisplay } from './types.ts';

export { countRows } from './counting.ts';
export { takeSteps } from './take-steps.ts';
export type { ProgressDisplay, ProgressSnapshot } from './types.ts';

/** The display for `--quiet`. */
const SILENT_DISPLAY: ProgressDisplay = { show: () => {}, note: () => {}, end: () => {} };

/** A bar on a terminal, lines elsewhere, nothing if quiet. */
export function displayFor({ stderr, environment }: CommandContext, quiet: boolean): ProgressDisplay {
  if (quiet) return SILENT_DISPLAY;
  return stderr.isTTY ? new BarDisplay(stderr, paintFor(stderr, environment)) : new LineDisplay(stderr);
}
