import { readCpuPressure, readCpuUsage } from '@embedmill/core/process';
import { describe, expect, test } from 'vitest';
import { machine } from './machine.ts';

const PRESSURE =
  'some avg10=12.50 avg60=6.25 avg300=1.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n';

const V1_QUOTA = {
  'sys/fs/cgroup/cpu/app/cpu.cfs_quota_us': '200000\n',
  'sys/fs/cgroup/cpu/app/cpu.cfs_period_us': '100000\n',
};

describe('readCpuUsage', () => {
  test('reads usage and throttling of the control group (version 2)', () => {
    const root = machine({
      'proc/self/cgroup': '0::/app\n',
      'sys/fs/cgroup/app/cpu.max': '200000 100000\n',
      'sys/fs/cgroup/cpu.stat': 'usage_usec 99000000\n',
      'sys/fs/cgroup/app/cpu.stat':
        'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 40\nnr_throttled 10\nthrottled_usec 750000\n',
    });
    expect(readCpuUsage({ root })).toEqual({
      source: 'cgroup-v2',
      usageSeconds: 2.5,
      periods: 40,
      throttledPeriods: 10,
      throttledSeconds: 0.75,
    });
  });

  test('reads nanoseconds from two controllers in version 1', () => {
    const root = machine({
      'proc/self/cgroup': '3:cpuacct:/app\n2:cpu:/app\n',
      'sys/fs/cgroup/cpuacct/app/cpuacct.usage': '1500000000\n',
      ...V1_QUOTA,
      'sys/fs/cgroup/cpu/app/cpu.stat': 'nr_periods 8\nnr_throttled 2\nthrottled_time 250000000\n',
    });
    expect(readCpuUsage({ root })).toEqual({
      source: 'cgroup-v1',
      usageSeconds: 1.5,
      periods: 8,
      throttledPeriods: 2,
      throttledSeconds: 0.25,
    });
  });

  test('uses version 1 on a host with both, where version 2 has accounting but no quota', () => {
    const root = machine({
      'proc/self/cgroup': '2:cpuacct:/app\n1:cpu:/app\n0::/\n',
      'sys/fs/cgroup/unified/cpu.stat': 'usage_usec 99000000\nuser_usec 1\nsystem_usec 1\n',
      'sys/fs/cgroup/cpuacct/app/cpuacct.usage': '1500000000\n',
      ...V1_QUOTA,
      'sys/fs/cgroup/cpu/app/cpu.stat': 'nr_periods 8\nnr_throttled 7\nthrottled_time 600000000\n',
    });
    expect(readCpuUsage({ root })).toMatchObject({
      source: 'cgroup-v1',
      usageSeconds: 1.5,
      throttledSeconds: 0.6,
    });
  });

  test('uses version 1 if the version 2 group has no CPU accounting', () => {
    const root = machine({
      'proc/self/cgroup': '2:cpu,cpuacct:/\n0::/\n',
      'sys/fs/cgroup/unified/cpu.stat': 'nr_periods 0\n',
      'sys/fs/cgroup/cpu,cpuacct/cpuacct.usage': '3000000000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    });
    expect(readCpuUsage({ root })).toMatchObject({
      source: 'cgroup-v1',
      usageSeconds: 3,
      throttledSeconds: 0,
    });
  });

  test('reads this process if its control group has no quota, as a login session and a machine have none', () => {
    const root = machine({
      'proc/self/cgroup': '0::/user.slice/session-2.scope\n',
      'sys/fs/cgroup/user.slice/session-2.scope/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/user.slice/session-2.scope/cpu.stat': 'usage_usec 99000000000\n',
      'sys/fs/cgroup/cpu.stat': 'usage_usec 99000000000\n',
    });
    const { user, system } = process.cpuUsage();
    const usage = readCpuUsage({ root });
    expect(usage).toMatchObject({ source: 'process', throttledSeconds: 0 });
    expect(usage.usageSeconds).toBeGreaterThanOrEqual((user + system) / 1e6);
    expect(usage.usageSeconds).toBeLessThan(10_000);
  });

  test('falls back to the CPU time of this process', () => {
    const before = process.cpuUsage();
    const usage = readCpuUsage({ root: machine({}) });
    expect(usage.source).toBe('process');
    expect(usage.usageSeconds).toBeGreaterThanOrEqual((before.user + before.system) / 1e6);
  });
});

describe('readCpuPressure', () => {
  test('reads the control group as ratios and seconds', () => {
    const root = machine({
      'proc/self/cgroup': '0::/app\n',
      'sys/fs/cgroup/app/cpu.pressure': PRESSURE,
      'proc/pressure/cpu': 'some avg10=99.00 avg60=99.00 avg300=99.00 total=1\n',
    });
    expect(readCpuPressure({ root })).toEqual({
      source: 'cgroup-v2',
      last10sRatio: 0.125,
      last60sRatio: 0.0625,
      last300sRatio: 0.01,
      totalSeconds: 2.5,
    });
  });

  test('falls back to the machine', () => {
    const root = machine({ 'proc/self/cgroup': '2:cpu:/\n', 'proc/pressure/cpu': PRESSURE });
    expect(readCpuPressure({ root })).toMatchObject({ source: 'machine', last10sRatio: 0.125 });
  });

  test('is undefined if the kernel does not report it', () => {
    expect(readCpuPressure({ root: machine({}) })).toBeUndefined();
  });
});
