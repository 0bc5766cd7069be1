/** The port to progress displays. */

import type { VerdictCounts } from '@embedmill/contract';

/** The progress of a run at one moment. */
export interface ProgressSnapshot {
  /** Rows with a verdict. */
  rowsDone: number;
  /** Total rows; `null` if unknown. */
  rowsTotal: number | null;
  /** True while the total is estimated from the part of the file read so far. */
  isEstimate: boolean;
  rowsPerSecond: number;
  /** `null` if tokens are not counted. */
  tokensPerSecond: number | null;
  verdicts: VerdictCounts;
  /** Why there is no progress at the moment; `null` if there is. */
  waitingFor: string | null;
}

/** Shows progress. */
export interface ProgressDisplay {
  /** Updates the figures. They may be shown later, or replaced before they are shown. */
  show(snapshot: ProgressSnapshot): void;
  /** Prints a message on its own line. */
  note(line: string): void;
  /** The same, also with `--quiet`: something is wrong. */
  warn(line: string): void;
  /** Ends the display with the cursor on an empty line. Idempotent. */
  end(): void;
}
