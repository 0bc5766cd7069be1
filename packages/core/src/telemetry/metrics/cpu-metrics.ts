/** CPU saturation and the state of the process for Prometheus; producer and worker register it with their own metrics. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import {
  type CpuReaderOptions,
  readAllowedCpus,
  readCpuPressure,
  readCpuQuota,
  readCpuUsage,
} from '../../process/cpu/index.ts';
import { CpuLoad } from './cpu-load.ts';
import { copyCounter, readGauge } from './series.ts';

/**
 * Cores that this process may use: the smaller of its CPU quota and its CPU set.
 *
 * One number for both, because the saturation ratio must reach 1 whichever of them is the limit.
 */
export function usableCores(options: CpuReaderOptions = {}): number {
  return Math.min(readCpuQuota(options) ?? Number.POSITIVE_INFINITY, readAllowedCpus(options));
}

/** Registers `embedmill_cpu_*`. Pressure is absent where the kernel keeps none. */
export function registerCpuMetrics(registry: Registry, options: CpuReaderOptions = {}): void {
  const load = new CpuLoad({ usageSeconds: () => readCpuUsage(options).usageSeconds });
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    readGauge(registry, { name: `embedmill_cpu_${name}`, help }, read);
  const counter = (name: string, help: string, read: () => number | undefined) =>
    copyCounter(registry, { name: `embedmill_cpu_${name}`, help }, read);

  gauge(
    'used_cores',
    'Cores used over the last 10 seconds or more, by the control group if there is one.',
    () => load.usedCores(),
  );
  gauge('quota_cores', 'Cores that this process may use: CPU quota or CPU set, whichever is smaller.', () =>
    usableCores(options),
  );
  gauge('saturation_ratio', 'Cores used divided by cores that may be used; 1 is saturated.', () => {
    return load.usedCores() / usableCores(options);
  });
  counter('seconds_total', 'CPU time used, by the control group if there is one.', () => {
    return readCpuUsage(options).usageSeconds;
  });
  counter(
    'periods_total',
    'Quota periods that ended; 0 without a quota.',
    () => readCpuUsage(options).periods,
  );
  counter('throttled_periods_total', 'Quota periods in which the group was stopped.', () => {
    return readCpuUsage(options).throttledPeriods;
  });
  counter(
    'throttled_seconds_total',
    'Time in which the group was stopped because its quota was used up.',
    () => {
      return readCpuUsage(options).throttledSeconds;
    },
  );
  gauge(
    'pressure_ratio',
    'Share of the last 10 seconds in which work was ready and had to wait for a CPU (PSI some).',
    () => readCpuPressure(options)?.last10sRatio,
  );
  counter(
    'pressure_seconds_total',
    'Time in which work was ready and had to wait for a CPU (PSI some).',
    () => {
      return readCpuPressure(options)?.totalSeconds;
    },
  );
}

/** Registers the age, memory and event loop of this process. */
export function registerProcessMetrics(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const startedAt = Date.now() / 1000 - process.uptime();
  readGauge(
    registry,
    { name: 'process_start_time_seconds', help: 'When this process started, in seconds since 1970.' },
    () => startedAt,
  );
  readGauge(
    registry,
    { name: 'process_resident_memory_bytes', help: 'Memory of this process that is in RAM.' },
    () => process.memoryUsage.rss(),
  );
  readGauge(
    registry,
    {
      name: 'embedmill_event_loop_lag_seconds',
      help: 'The longest that the main thread was late since the last scrape; locks are renewed there.',
    },
    () => {
      const lagSeconds = delay.max / 1e9;
      delay.reset();
      return lagSeconds;
    },
  );
}
