import { availableParallelism } from 'node:os';
import { defaultThreads, readAllowedCpus, readCpuQuota } from '@embedmill/core/process';
import { describe, expect, test } from 'vitest';
import { machine } from './machine.ts';

const V1_CGROUP = '5:cpuset:/\n4:cpu,cpuacct:/docker/abc\n0::/\n';

describe('readCpuQuota', () => {
  test('reads the quota of a container with its own cgroup namespace (version 2)', () => {
    const root = machine({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '150000 100000\n' });
    expect(readCpuQuota({ root })).toBe(1.5);
  });

  test('returns the minimum of the limits up to the root', () => {
    const root = machine({
      'proc/self/cgroup': '0::/kubepods.slice/pod7/worker\n',
      'sys/fs/cgroup/kubepods.slice/cpu.max': '800000 100000\n',
      'sys/fs/cgroup/kubepods.slice/pod7/cpu.max': '300000 100000\n',
      'sys/fs/cgroup/kubepods.slice/pod7/worker/cpu.max': 'max 100000\n',
    });
    expect(readCpuQuota({ root })).toBe(3);
  });

  test('finds the limit at the mount when /proc shows the path on the host', () => {
    const root = machine({
      'proc/self/cgroup': V1_CGROUP,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    });
    expect(readCpuQuota({ root })).toBe(0.5);
  });

  test('reads version 1 of the control group, in a mount named cpu', () => {
    const root = machine({
      'proc/self/cgroup': V1_CGROUP,
      'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '250000\n',
      'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    });
    expect(readCpuQuota({ root })).toBe(2.5);
  });

  test('reads version 2 under "unified" on a host that runs both versions', () => {
    const root = machine({
      'proc/self/cgroup': '0::/app\n',
      'sys/fs/cgroup/unified/app/cpu.max': '400000 200000\n',
    });
    expect(readCpuQuota({ root })).toBe(2);
  });

  test('stays inside the mount if the group is outside the namespace', () => {
    const root = machine({
      'proc/self/cgroup': '0::/../../elsewhere\n',
      'sys/fs/cgroup/cpu.max': '200000 100000\n',
      'cpu.max': '100 100000\n',
    });
    expect(readCpuQuota({ root })).toBe(2);
  });

  test('is undefined without a limit', () => {
    const unlimited = machine({
      'proc/self/cgroup': `${V1_CGROUP}`,
      'sys/fs/cgroup/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    });
    expect(readCpuQuota({ root: unlimited })).toBeUndefined();
    expect(readCpuQuota({ root: machine({}) })).toBeUndefined();
  });
});

describe('readAllowedCpus', () => {
  test('counts single CPUs and ranges of the CPU mask', () => {
    const root = machine({
      'proc/self/status': 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,6,8-9\n',
    });
    expect(readAllowedCpus({ root })).toBe(7);
  });

  test('uses availableParallelism() without /proc', () => {
    expect(readAllowedCpus({ root: machine({}) })).toBe(availableParallelism());
  });

  test('is at least the number that the system reports, which may include a quota', () => {
    expect(readAllowedCpus()).toBeGreaterThanOrEqual(availableParallelism());
  });
});

describe('defaultThreads', () => {
  const withQuota = (cpuMax: string, cpus: string) =>
    machine({
      'proc/self/cgroup': '0::/\n',
      'proc/self/status': `Cpus_allowed_list:\t${cpus}\n`,
      'sys/fs/cgroup/cpu.max': cpuMax,
    });

  test.each([
    { cpuMax: 'max 100000', cpus: '0-15', threads: 16, why: 'no quota: the CPU set' },
    { cpuMax: '400000 100000', cpus: '0-15', threads: 4, why: 'the quota is smaller' },
    { cpuMax: '400000 100000', cpus: '2,5', threads: 2, why: 'the CPU set is smaller' },
    { cpuMax: '250000 100000', cpus: '0-7', threads: 2, why: 'a half core carries no thread' },
    { cpuMax: '25000 100000', cpus: '0-7', threads: 1, why: 'never less than one' },
  ])('gives $threads for quota $cpuMax and CPUs $cpus ($why)', ({ cpuMax, cpus, threads }) => {
    expect(defaultThreads({ root: withQuota(cpuMax, cpus) })).toBe(threads);
  });
});
