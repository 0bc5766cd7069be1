/** Registers the Prometheus metrics for CPU saturation and process state, for producer and worker. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import type { CpuReaderOptions } from '../../process/cpu/cgroup.ts';
import { readCpuPressure } from '../../process/cpu/pressure.ts';
import { readAllowedCpus, readCpuQuota } from '../../process/cpu/quota.ts';
import { readCpuUsage } from '../../process/cpu/usage.ts';
import { CpuLoad } from './cpu-load.ts';
import { copyCounter, readGauge } from './series.ts';

/**
 * The cores this process may use: the minimum of its CPU quota and its CPU set.
 *
 * One number for both, because the saturation ratio must reach 1 whichever of them limits the process.
 */
export function usableCores(options: CpuReaderOptions = {}): number {
  return Math.min(readCpuQuota(options) ?? Number.POSITIVE_INFINITY, readAllowedCpus(options));
}

/** Registers `embedmill_cpu_*`. Pressure is absent if the kernel does not report it. */
export function registerCpuMetrics(registry: Registry, options: CpuReaderOptions = {}): void {
  const load = new CpuLoad({ usageSeconds: () => readCpuUsage(options).usageSeconds });
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    readGauge(registry, { name: `embedmill_cpu_${name}`, help }, read);
  const counter = (name: string, help: string, read: () => number | undefined) =>
    copyCounter(registry, { name: `embedmill_cpu_${name}`, help }, read);

  gauge(
    'used_cores',
    'Average cores used over at least the last 10 seconds, by the control group if it has a CPU quota, else by this process.',
    () => load.usedCores(),
  );
  gauge('quota_cores', 'Cores that this process may use: the minimum of CPU quota and CPU set.', () =>
    usableCores(options),
  );
  gauge('saturation_ratio', 'Cores used divided by cores available; 1 means saturated.', () => {
    return load.usedCores() / usableCores(options);
  });
  counter(
    'seconds_total',
    'CPU time used, by the control group if it has a CPU quota, else by this process.',
    () => {
      return readCpuUsage(options).usageSeconds;
    },
  );
  counter('periods_total', 'Elapsed quota periods; 0 without a quota.', () => readCpuUsage(options).periods);
  counter('throttled_periods_total', 'Quota periods in which the control group was throttled.', () => {
    return readCpuUsage(options).throttledPeriods;
  });
  counter(
    'throttled_seconds_total',
    'Time for which the control group was throttled because its quota was exhausted.',
    () => {
      return readCpuUsage(options).throttledSeconds;
    },
  );
  gauge(
    'pressure_ratio',
    'Share of the last 10 seconds in which runnable tasks waited for a CPU (PSI some).',
    () => readCpuPressure(options)?.last10sRatio,
  );
  counter('pressure_seconds_total', 'Time in which runnable tasks waited for a CPU (PSI some).', () => {
    return readCpuPressure(options)?.totalSeconds;
  });
}

/** Registers the start time, memory and event loop delay of this process. */
export function registerProcessMetrics(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const startedAt = Date.now() / 1000 - process.uptime();
  readGauge(
    registry,
    { name: 'process_start_time_seconds', help: 'Start time of this process, in seconds since 1970.' },
    () => startedAt,
  );
  readGauge(
    registry,
    { name: 'process_resident_memory_bytes', help: 'Resident memory of this process.' },
    () => process.memoryUsage.rss(),
  );
  readGauge(
    registry,
    {
      name: 'embedmill_event_loop_lag_seconds',
      help: 'Maximum event loop delay of the main thread, which renews locks, since the last scrape.',
    },
    () => {
      const lagSeconds = delay.max / 1e9;
      delay.reset();
      return lagSeconds;
    },
  );
}
