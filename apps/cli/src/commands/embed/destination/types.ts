/** Where a finished output goes: one port for files, objects of a bucket and tables of LanceDB. */

import type { Draft } from '../save.ts';

/** Takes complete drafts and makes them visible. */
export interface Destination {
  /** Whether an output is there already. */
  exists(): Promise<boolean>;
  /**
   * Gives the drafts their names, in this order, each whole from the first moment, and removes what an earlier output had.
   * When it resolves all that survives a power cut, and the drafts are gone.
   * @param stale paths of files that this output does not have
   */
  publish(drafts: readonly Draft[], stale: readonly string[]): Promise<void>;
  /** What people call a file of the output. @param path as its draft has it */
  nameOf(path: string): string;
}
