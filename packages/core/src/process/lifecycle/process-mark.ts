/** Identifies a process across reuse of process ids. */

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, by its id and its start time. */
export interface ProcessMark {
  pid: number;
  /** Clock ticks between boot and start of the process; `null` without /proc. */
  startTicks: number | null;
}

/** The mark of a running process. */
export function markOf(pid: number): ProcessMark {
  return { pid, startTicks: startTicksOf(pid) };
}

/** States of a process that has ended, but whose parent has not yet read its exit code: it runs nothing and has no open files. */
const ENDED_STATES = ['Z', 'X'];

/** True while exactly that process runs. Valid only for processes that share our process ids (see `processSpace`). */
export function isRunning({ pid, startTicks }: ProcessMark): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (
    startTicks === null || (startTicksOf(pid) === startTicks && !ENDED_STATES.includes(statOf(pid)[0] ?? ''))
  );
}

/**
 * The space in which process ids are unique: this boot of this machine and, in a container, its PID namespace. Process ids of
 * different spaces must not be compared.
 */
export function processSpace(): string {
  return [hostname(), readOr('', '/proc/sys/kernel/random/boot_id'), namespaceOr('')].join(' ');
}

function readOr(fallback: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return fallback;
  }
}

function namespaceOr(fallback: string): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return fallback;
  }
}

/** Field 22 of /proc/pid/stat. */
function startTicksOf(pid: number): number | null {
  const ticks = statOf(pid)[19];
  return ticks === undefined ? null : Number(ticks);
}

/** Fields 3 and following of /proc/pid/stat (proc(5)), counted after the name, which may contain spaces and parentheses. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
