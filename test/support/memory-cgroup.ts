/** A cgroup with a memory limit, for tests of processes that exceed it; root on Linux only. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const ROOT = '/sys/fs/cgroup';

/** A cgroup that is removed after the test, once its processes have exited. */
export interface MemoryCgroup {
  /** A process joins by writing its id to this file. */
  procs: string;
  /** Number of processes killed by the kernel so far. */
  oomKills(): number;
  /** Maximum memory so far in bytes: processes, their page cache and the buffers of their sockets. */
  peakBytes(): number;
}

/** Creates a cgroup, version 1 or 2; `null` when this user may not. */
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
    peakBytes: () =>
      Number(readFileSync(join(folder, isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8')),
    oomKills: () => Number(/^oom_kill (\d+)/m.exec(readFileSync(events, 'utf8'))?.[1]),
  };
}
