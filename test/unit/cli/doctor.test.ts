/** Checks of `embedmill doctor` with given facts. */

import { describe, expect, test } from 'vitest';
import { checkNode, describeFeatures } from '../../../apps/cli/src/commands/doctor/machine.ts';
import { checkServerInfo } from '../../../apps/cli/src/commands/doctor/redis.ts';

test.each([
  ['20.18.3', 'broken'],
  ['20.19.0', 'good'],
  ['22.0.0', 'good'],
  ['18.20.0', 'broken'],
])('Node %s is %s', (version, health) => {
  expect(checkNode(version).health).toBe(health);
});

describe('the CPU', () => {
  test.each([
    ['flags\t\t: fpu sse2 avx2 avx512f avx512_vnni', 'good', 'avx2, avx512f, avx512_vnni'],
    ['flags\t\t: fpu sse2 avx2 avx_vnni', 'good', 'avx2, avx_vnni'],
    ['flags\t\t: fpu sse2 avx2', 'notice', 'without VNNI'],
    ['flags\t\t: fpu sse2', 'notice', 'no AVX2'],
  ])('with %s is %s', (cpuInfo, health, words) => {
    expect(describeFeatures('Some CPU', `processor: 0\n${cpuInfo}\n`)).toMatchObject({
      health,
      message: expect.stringContaining(words),
    });
  });
});

describe('the Redis server', () => {
  const info = (version: string, policy: string, maxmemory: number) =>
    `redis_version:${version}\r\nmaxmemory:${maxmemory}\r\nmaxmemory_policy:${policy}\r\n`;
  test.each([
    [info('7.0.15', 'noeviction', 1_000_000), 'good', 'version 7.0.15'],
    [info('7.0.15', 'allkeys-lru', 1_000_000), 'broken', 'would evict queued work'],
    [info('7.0.15', 'allkeys-lru', 0), 'notice', 'harmless'],
    [info('6.0.20', 'noeviction', 0), 'broken', '6.2 or later is required'],
    [`valkey_version:8.1.0\r\n${info('7.2.4', 'noeviction', 0)}`, 'good', 'version 8.1.0'],
  ])('%j is %s', (answer, health, words) => {
    expect(checkServerInfo('redis://host', answer)).toMatchObject({
      health,
      message: expect.stringContaining(words),
    });
  });
});
