/** Reads how many cores this process may use (CPU quota and CPU set) and derives the number of threads. */

import { availableParallelism } from 'node:os';
import { type CpuReaderOptions, cgroupV1Folders, cgroupV2Folders, readText } from './cgroup.ts';

/**
 * The CPU quota of this process in cores (such as 1.5), or undefined without a quota.
 *
 * The minimum of the limits of the control group and its parents: version 2 `cpu.max`, version 1
 * `cpu.cfs_quota_us` over `cpu.cfs_period_us`. Not taken from Node, because libuv before 1.49 (Node 20)
 * ignores quotas and later versions misread some (nodejs/node#58428, #59200).
 */
export function readCpuQuota({ root = '/' }: CpuReaderOptions = {}): number | undefined {
  const limits = [
    ...cgroupV2Folders(root).map((folder) => quotaOf(readText(folder, 'cpu.max')?.trim().split(' '))),
    ...cgroupV1Folders(root, 'cpu').map((folder) =>
      quotaOf([readText(folder, 'cpu.cfs_quota_us'), readText(folder, 'cpu.cfs_period_us')]),
    ),
  ].filter((cores) => cores !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/**
 * The number of CPUs on which this process may run (cpuset, `taskset`): the length of `Cpus_allowed_list` in
 * `/proc/self/status`, or `availableParallelism()` on systems without this file.
 */
export function readAllowedCpus({ root = '/' }: CpuReaderOptions = {}): number {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(readText(root, 'proc/self/status') ?? '')?.[1];
  if (list === undefined) return availableParallelism();
  return list.split(',').reduce((count, range) => {
    const [first, last = first] = range.split('-').map(Number);
    return first === undefined || last === undefined ? count : count + last - first + 1;
  }, 0);
}

/**
 * The default number of inference threads: whole cores of quota and CPU set, at least 1. One more thread
 * would only take time from the others, because the kernel throttles the whole group until its next period.
 */
export function defaultThreads(options: CpuReaderOptions = {}): number {
  const quota = readCpuQuota(options) ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor(Math.min(quota, readAllowedCpus(options))));
}

/** Converts quota and period in µs to cores; undefined for "max", -1 and missing files. */
function quotaOf([quota, period]: (string | undefined)[] = []): number | undefined {
  const quotaUs = Number(quota);
  const periodUs = Number(period);
  return quotaUs > 0 && periodUs > 0 ? quotaUs / periodUs : undefined;
}
