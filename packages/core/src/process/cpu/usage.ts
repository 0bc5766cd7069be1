/** Reads the CPU time used and the throttling by the CPU quota. */

import {
  type CpuReaderOptions,
  cgroupV1Folders,
  cgroupV2Folders,
  parseKeyedNumbers,
  readText,
} from './cgroup.ts';
import { readCpuQuota } from './quota.ts';

/** CPU time since the control group or process was created; no figure decreases unless a quota is set or removed. */
export interface CpuUsage {
  /** Whether the figures are of the control group (all processes that share the quota) or of this process. */
  source: 'cgroup-v2' | 'cgroup-v1' | 'process';
  /** CPU seconds over all cores. */
  usageSeconds: number;
  /** Elapsed quota periods; 0 without a quota. */
  periods: number;
  /** Quota periods in which the group was throttled because its quota was exhausted. */
  throttledPeriods: number;
  /** Seconds for which the group was throttled. */
  throttledSeconds: number;
}

/**
 * CPU time of this process, without throttling; with a CPU quota, that of the nearest control group with accounting, whose
 * processes share it: version 1 `cpuacct.usage` and `cpu.stat`, version 2 `cpu.stat`. Without a quota the group may be a
 * login session or the whole machine.
 *
 * Version 1 first: a controller belongs to one version, and on hosts that run both, a version 2 group without the controller
 * still has a `cpu.stat`, which knows no quota.
 */
export function readCpuUsage({ root = '/' }: CpuReaderOptions = {}): CpuUsage {
  if (readCpuQuota({ root }) === undefined) return readProcess();
  return readV1(root) ?? readV2(root) ?? readProcess();
}

function readV2(root: string): CpuUsage | undefined {
  const stat = firstStat(cgroupV2Folders(root));
  const usageUs = stat?.get('usage_usec');
  if (stat === undefined || usageUs === undefined) return undefined;
  return {
    source: 'cgroup-v2',
    usageSeconds: usageUs / 1e6,
    periods: stat.get('nr_periods') ?? 0,
    throttledPeriods: stat.get('nr_throttled') ?? 0,
    throttledSeconds: (stat.get('throttled_usec') ?? 0) / 1e6,
  };
}

function readV1(root: string): CpuUsage | undefined {
  const usageNs = cgroupV1Folders(root, 'cpuacct')
    .map((folder) => readText(folder, 'cpuacct.usage'))
    .find((text) => text !== undefined);
  if (usageNs === undefined) return undefined;
  const stat = firstStat(cgroupV1Folders(root, 'cpu'));
  return {
    source: 'cgroup-v1',
    usageSeconds: Number(usageNs) / 1e9,
    periods: stat?.get('nr_periods') ?? 0,
    throttledPeriods: stat?.get('nr_throttled') ?? 0,
    throttledSeconds: (stat?.get('throttled_time') ?? 0) / 1e9,
  };
}

function readProcess(): CpuUsage {
  const { user, system } = process.cpuUsage();
  return {
    source: 'process',
    usageSeconds: (user + system) / 1e6,
    periods: 0,
    throttledPeriods: 0,
    throttledSeconds: 0,
  };
}

function firstStat(folders: readonly string[]): Map<string, number> | undefined {
  const text = folders.map((folder) => readText(folder, 'cpu.stat')).find((found) => found !== undefined);
  return text === undefined ? undefined : parseKeyedNumbers(text);
}
