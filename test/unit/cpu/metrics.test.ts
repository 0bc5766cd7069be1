/** Tests the CPU metrics for Prometheus with fixture files. */

import { registerCpuMetrics } from '@embedmill/core/telemetry';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { machine } from './machine.ts';

/** The values of all series for a machine with these files. */
async function shown(files: Record<string, string>): Promise<Record<string, number>> {
  const registry = new Registry();
  registerCpuMetrics(registry, { root: machine(files) });
  const series = await registry.getMetricsAsJSON();
  return Object.fromEntries(
    series.flatMap(({ name, values }) => values.map(({ value }) => [name, Number(value)])),
  );
}

describe('the CPU metrics', () => {
  it('show the quota, throttling and pressure of the control group', async () => {
    const values = await shown({
      'proc/self/cgroup': '0::/app\n',
      'sys/fs/cgroup/app/cpu.max': '50000 100000\n',
      'sys/fs/cgroup/app/cpu.stat':
        'usage_usec 2500000\nnr_periods 40\nnr_throttled 10\nthrottled_usec 750000\n',
      'sys/fs/cgroup/app/cpu.pressure': 'some avg10=12.50 avg60=6.25 avg300=1.00 total=2500000\n',
    });
    expect(values).toMatchObject({
      embedmill_cpu_quota_cores: 0.5,
      embedmill_cpu_seconds_total: 2.5,
      embedmill_cpu_periods_total: 40,
      embedmill_cpu_throttled_periods_total: 10,
      embedmill_cpu_throttled_seconds_total: 0.75,
      embedmill_cpu_pressure_ratio: 0.125,
      embedmill_cpu_pressure_seconds_total: 2.5,
    });
  });

  it('omit the pressure if the kernel does not report it', async () => {
    const values = await shown({ 'proc/self/cgroup': '0::/app\n' });
    expect(Object.keys(values).filter((name) => name.includes('pressure'))).toEqual([]);
    expect(values.embedmill_cpu_saturation_ratio).toBeGreaterThanOrEqual(0);
  });
});
