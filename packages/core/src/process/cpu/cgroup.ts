/** Finds the control group files of this process, for the readers of CPU and memory. */

import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Options of these readers. */
export interface CpuReaderOptions {
  /** Folder that contains `proc` and `sys`; tests use a fixture. Default `/`. */
  root?: string;
}

/** Version 2 is mounted at the top, or in `unified` on hosts that run both versions. */
const V2_MOUNTS = ['sys/fs/cgroup', 'sys/fs/cgroup/unified'];

/** Version 1 has a mount per controller; distributions join `cpu` and `cpuacct` in either order. */
const V1_MOUNTS: Readonly<Record<V1Controller, readonly string[]>> = {
  cpu: ['sys/fs/cgroup/cpu', 'sys/fs/cgroup/cpu,cpuacct', 'sys/fs/cgroup/cpuacct,cpu'],
  cpuacct: ['sys/fs/cgroup/cpuacct', 'sys/fs/cgroup/cpu,cpuacct', 'sys/fs/cgroup/cpuacct,cpu'],
  memory: ['sys/fs/cgroup/memory'],
};

type V1Controller = 'cpu' | 'cpuacct' | 'memory';

/** Version 2 folders of this process's group and its parents, nearest first; they need not exist. */
export function cgroupV2Folders(root: string): string[] {
  const path = ownPath(root, ([hierarchy, controllers]) => hierarchy === '0' && controllers === '');
  return path === undefined ? [] : foldersUp(root, V2_MOUNTS, path);
}

/**
 * Version 1 folders of this process's group of a controller and its parents, nearest first; they need not
 * exist.
 */
export function cgroupV1Folders(root: string, controller: V1Controller): string[] {
  const path = ownPath(root, ([, controllers]) => controllers?.split(',').includes(controller) === true);
  return path === undefined ? [] : foldersUp(root, V1_MOUNTS[controller], path);
}

/**
 * The text of a file; undefined if it is missing or unreadable (as pressure files are when PSI is disabled).
 */
export function readText(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch {
    return undefined;
  }
}

/** Parses lines of `key value`, as in `cpu.stat`. */
export function parseKeyedNumbers(text: string): Map<string, number> {
  const lines = text.trim().split('\n');
  return new Map(
    lines.map((line): [string, number] => {
      const [key = '', value] = line.split(' ');
      return [key, Number(value)];
    }),
  );
}

/**
 * The control group of this process in the hierarchy selected by `isWanted` (field 3 of `/proc/self/cgroup`).
 */
function ownPath(root: string, isWanted: (fields: string[]) => boolean): string | undefined {
  for (const line of readText(root, 'proc/self/cgroup')?.split('\n') ?? []) {
    const fields = line.split(':');
    // A group outside the namespace starts with "/.."; normalizing keeps the walk inside the mount.
    if (isWanted(fields)) return posix.normalize(`/${fields.slice(2).join(':')}`);
  }
  return undefined;
}

/**
 * The folders from the group up to the mount, for each mount. Two reasons: any parent may set a limit, and a
 * container that sees the path on its host finds its own group at the mount.
 */
function foldersUp(root: string, mounts: readonly string[], group: string): string[] {
  return mounts.flatMap((mount) => {
    const folders: string[] = [];
    for (let path = group; ; path = posix.dirname(path)) {
      folders.push(join(root, mount, path));
      if (path === '/') return folders;
    }
  });
}
