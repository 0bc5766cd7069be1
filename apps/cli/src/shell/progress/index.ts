/** Chooses the progress display for stderr: a bar, lines, or warnings only. */

import type { CommandContext } from '../context.ts';
import { printable } from '../terminal/lines.ts';
import { paintFor } from '../terminal/style.ts';
import { BarDisplay } from './bar.ts';
import { LineDisplay } from './lines.ts';
import type { ProgressDisplay } from './types.ts';

export { countRows } from './counting.ts';
export { takeSteps } from './take-steps.ts';
export type { ProgressDisplay, ProgressSnapshot } from './types.ts';

/** A bar on a terminal, lines elsewhere, only warnings if quiet. */
export function displayFor({ stderr, environment }: CommandContext, quiet: boolean): ProgressDisplay {
  if (quiet) {
    const warn = (line: string) => void stderr.write(`${printable(line)}\n`);
    return { show: () => {}, note: () => {}, warn, end: () => {} };
  }
  return stderr.isTTY ? new BarDisplay(stderr, paintFor(stderr, environment)) : new LineDisplay(stderr);
}
