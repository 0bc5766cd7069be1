/** Tells whether a process that a file names is still the same one, although ids are used again. */

import { readFileSync } from 'node:fs';

/** A process by its id and its start. */
export interface ProcessMark {
  pid: number;
  /** Clock ticks after the boot when it started; `null` where there is no /proc. */
  startTicks: number | null;
}

/** The mark of a running process. */
export function markOf(pid: number): ProcessMark {
  return { pid, startTicks: startTicksOf(pid) };
}

/** True while exactly that process runs. */
export function isRunning({ pid, startTicks }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTicks === null || startTicksOf(pid) === startTicks;
}

/** Field 22 of /proc/pid/stat (proc(5)), counted behind the name, which may hold blanks and parentheses. */
function startTicksOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[19]);
  } catch {
    return null;
  }
}
