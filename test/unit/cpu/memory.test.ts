/** The memory that a process may still take is found in files of the kernel. */

import { availableMemoryBytes } from '@embedmill/core/process';
import { expect, it } from 'vitest';
import { machine } from './machine.ts';

const MB = 1024 * 1024;

const MACHINE = { 'proc/meminfo': `MemTotal: 16777216 kB\nMemAvailable:    4194304 kB\n` };

it.each([
  ['the available memory of the machine without a control group', {}, 4096],
  [
    'the room below the limit of the control group, where cached files count as free',
    {
      'proc/self/cgroup': '0::/mill\n',
      'sys/fs/cgroup/mill/memory.max': `${1024 * MB}\n`,
      'sys/fs/cgroup/mill/memory.current': `${900 * MB}\n`,
      'sys/fs/cgroup/mill/memory.stat': `anon 1\ninactive_file ${300 * MB}\n`,
    },
    424,
  ],
  [
    'the limit of a parent',
    {
      'proc/self/cgroup': '0::/pod/mill\n',
      'sys/fs/cgroup/pod/mill/memory.max': 'max\n',
      'sys/fs/cgroup/pod/mill/memory.current': `${1 * MB}\n`,
      'sys/fs/cgroup/pod/memory.max': `${512 * MB}\n`,
      'sys/fs/cgroup/pod/memory.current': `${500 * MB}\n`,
    },
    12,
  ],
  [
    'the limit of version 1',
    {
      'proc/self/cgroup': '5:memory:/mill\n',
      'sys/fs/cgroup/memory/mill/memory.limit_in_bytes': `${256 * MB}\n`,
      'sys/fs/cgroup/memory/mill/memory.usage_in_bytes': `${200 * MB}\n`,
      'sys/fs/cgroup/memory/mill/memory.stat': `total_inactive_file ${10 * MB}\n`,
    },
    66,
  ],
])('is %s', (_, files, expectedMb) => {
  expect(availableMemoryBytes({ root: machine({ ...MACHINE, ...files }) })).toBe(expectedMb * MB);
});
