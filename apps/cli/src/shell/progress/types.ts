/** What a display of progress is told; the commands that take long tell it. */

import type { VerdictCounts } from '@embedmill/contract';

/** How far a run is. */
export interface ProgressSnapshot {
  /** Rows that have a verdict. */
  rowsDone: number;
  /** Rows in all; `null` while nobody can say. */
  rowsTotal: number | null;
  /** True while the total is concluded from the part of the file that was read. */
  isEstimate: boolean;
  rowsPerSecond: number;
  /** `null` where no tokens are counted. */
  tokensPerSecond: number | null;
  verdicts: VerdictCounts;
  /** Why nothing goes on at the moment; `null` when it does. */
  waitingFor: string | null;
}

/** Shows progress until `end`. */
export interface ProgressDisplay {
  /** Takes the latest figures; may show them later, or never. */
  show(snapshot: ProgressSnapshot): void;
  /** Says one thing beside the progress, on a line of its own. */
  note(line: string): void;
  /** Leaves the cursor at the start of an empty line. Safe to call twice. */
  end(): void;
}
