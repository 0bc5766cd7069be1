/** What the kernel says about our CPUs: quota, threads that fit, time used, time waited. */

export type { CpuReaderOptions } from './cgroup.ts';
export { type CpuPressure, readCpuPressure } from './pressure.ts';
export { defaultThreads, readAllowedCpus, readCpuQuota } from './quota.ts';
export { type CpuUsage, readCpuUsage } from './usage.ts';
