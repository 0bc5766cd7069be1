/** A cgroup with a CPU quota, for tests of throttled processes; root on Linux only. */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const ROOT = '/sys/fs/cgroup';
const PERIOD_US = 100_000;

/**
 * Creates a cgroup, version 1 or 2, which is removed after the test, once its processes have exited.
 * @returns moves a process into it; `null` when this user may not create one
 */
export function cpuCgroup(cores: number): ((pid: number) => void) | null {
  const isV1 = existsSync(join(ROOT, 'cpu/cpu.cfs_quota_us'));
  const folder = join(ROOT, isV1 ? 'cpu' : '', `embedmill-test-${process.pid}`);
  try {
    mkdirSync(folder);
    if (isV1) writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US));
    const quota = String(Math.round(cores * PERIOD_US));
    writeFileSync(
      join(folder, isV1 ? 'cpu.cfs_quota_us' : 'cpu.max'),
      isV1 ? quota : `${quota} ${PERIOD_US}`,
    );
  } catch {
    return null;
  }
  onTestFinished(() => rmdirSync(folder));
  return (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid));
}
