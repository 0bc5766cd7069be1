/** Identifies processes across restarts of this command, although process ids are reused. */

import { readFileSync } from 'node:fs';

/** A process, identified by its id and start time. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks after boot; `null` where there is no /proc. */
  startTicks: number | null;
}

/** The identity of a running process. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, startTicks: startTicksOf(pid) };
}

/** Whether exactly this process is running. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTicks === null || startTicksOf(pid) === startTicks;
}

/** Field 22 of /proc/pid/stat (proc(5)), counted after the name, which may contain blanks and parentheses. */
function startTicksOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[19]);
  } catch {
    return null;
  }
}
