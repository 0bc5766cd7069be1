/** A cgroup with little memory, for tests in which the kernel ends a process for taking more; root on Linux only. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const ROOT = '/sys/fs/cgroup';

/** A cgroup that is removed after the test, when its processes are gone. */
export interface MemoryCgroup {
  /** A process joins by writing its id to this file. */
  procs: string;
  /** Processes that the kernel ended so far. */
  oomKills(): number;
}

/** Makes one, of version 1 or 2; `null` when this user cannot. */
export function memoryCgroup(megabytes: number): MemoryCgroup | null {
  const isV1 = existsSync(join(ROOT, 'memory/memory.limit_in_bytes'));
  const folder = join(ROOT, isV1 ? 'memory' : '', `embedmill-test-${process.pid}`);
  const limit = join(folder, isV1 ? 'memory.limit_in_bytes' : 'memory.max');
  try {
    mkdirSync(folder);
    writeFileSync(limit, String(megabytes * 1024 * 1024));
  } catch {
    return null;
  }
  onTestFinished(() => rmdirSync(folder));
  const events = join(folder, isV1 ? 'memory.oom_control' : 'memory.events');
  return {
    procs: join(folder, 'cgroup.procs'),
    oomKills: () => Number(/^oom_kill (\d+)/m.exec(readFileSync(events, 'utf8'))?.[1]),
  };
}
