/** Reads how much memory this process may take, in all and from now on, within its control group. */

import { freemem, totalmem } from 'node:os';
import {
  type CpuReaderOptions,
  cgroupV1Folders,
  cgroupV2Folders,
  parseKeyedNumbers,
  readText,
} from './cpu/cgroup.ts';

/** Memory limit of this process in bytes: that of its control group, or the memory of the machine. */
export function memoryLimitBytes(): number {
  // Without a limit, Node reports 0 or a number beyond the memory of any machine.
  return Math.min(process.constrainedMemory() || totalmem(), totalmem());
}

/**
 * Bytes that this process may still take: the minimum of the available memory of the machine and of the rooms that its
 * control group and the parents leave below their limits. Cached file contents count as free, because the kernel drops
 * them first; Node's `process.availableMemory()` counts them as used.
 */
export function availableMemoryBytes({ root = '/' }: CpuReaderOptions = {}): number {
  const rooms = [
    ...cgroupV2Folders(root).map((folder) =>
      roomOf(folder, { limit: 'memory.max', used: 'memory.current', cached: 'inactive_file' }),
    ),
    ...cgroupV1Folders(root, 'memory').map((folder) =>
      roomOf(folder, {
        limit: 'memory.limit_in_bytes',
        used: 'memory.usage_in_bytes',
        cached: 'total_inactive_file',
      }),
    ),
  ].filter((room) => room !== undefined);
  return Math.max(0, Math.min(machineBytes(root), ...rooms));
}

/** Bytes below the limit of a group; undefined without a limit. */
function roomOf(folder: string, files: { limit: string; used: string; cached: string }): number | undefined {
  const [limit, used] = [readText(folder, files.limit), readText(folder, files.used)].map(Number);
  // "max" is not a number, and a missing file gives NaN.
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return undefined;
  const cached = parseKeyedNumbers(readText(folder, 'memory.stat') ?? '').get(files.cached) ?? 0;
  return limit! - used! + cached;
}

function machineBytes(root: string): number {
  const kilobytes = /^MemAvailable:\s*(\d+) kB$/m.exec(readText(root, 'proc/meminfo') ?? '')?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}
