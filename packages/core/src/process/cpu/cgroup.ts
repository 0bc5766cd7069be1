/** Where the kernel keeps this process's control group files; the readers beside it look there. */

import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** How the readers find `/proc` and `/sys`. */
export interface CpuReaderOptions {
  /** Folder that holds `proc` and `sys`; tests point it at a fixture. Default `/`. */
  root?: string;
}

/** Version 2 is mounted at the top, or in `unified` on hosts that run both versions. */
const V2_MOUNTS = ['sys/fs/cgroup', 'sys/fs/cgroup/unified'];

/** Version 1 has a mount per controller; distributions join `cpu` and `cpuacct` in either order. */
const V1_MOUNTS: Readonly<Record<V1Controller, readonly string[]>> = {
  cpu: ['sys/fs/cgroup/cpu', 'sys/fs/cgroup/cpu,cpuacct', 'sys/fs/cgroup/cpuacct,cpu'],
  cpuacct: ['sys/fs/cgroup/cpuacct', 'sys/fs/cgroup/cpu,cpuacct', 'sys/fs/cgroup/cpuacct,cpu'],
};

type V1Controller = 'cpu' | 'cpuacct';

/** Version 2 folders of this process's group and its parents, nearest first; they need not exist. */
export function cgroupV2Folders(root: string): string[] {
  const path = ownPath(root, ([hierarchy, controllers]) => hierarchy === '0' && controllers === '');
  return path === undefined ? [] : foldersUp(root, V2_MOUNTS, path);
}

/** Version 1 folders of this process's group of a controller and its parents, nearest first; they need not exist. */
export function cgroupV1Folders(root: string, controller: V1Controller): string[] {
  const path = ownPath(root, ([, controllers]) => controllers?.split(',').includes(controller) === true);
  return path === undefined ? [] : foldersUp(root, V1_MOUNTS[controller], path);
}

/** The text of a file, or undefined when it is missing or the kernel refuses it (pressure files do when switched off). */
export function readText(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch {
    return undefined;
  }
}

/** Lines `key value` as numbers, as in `cpu.stat`. */
export function parseKeyedNumbers(text: string): Map<string, number> {
  const lines = text.trim().split('\n');
  return new Map(
    lines.map((line): [string, number] => {
      const [key = '', value] = line.split(' ');
      return [key, Number(value)];
    }),
  );
}

/** The group of this process in the hierarchy that `isWanted`: the third field of a line of `/proc/self/cgroup`. */
function ownPath(root: string, isWanted: (fields: string[]) => boolean): string | undefined {
  for (const line of readText(root, 'proc/self/cgroup')?.split('\n') ?? []) {
    const fields = line.split(':');
    // A group outside our namespace starts with "/..": normalising keeps the walk inside the mount.
    if (isWanted(fields)) return posix.normalize(`/${fields.slice(2).join(':')}`);
  }
  return undefined;
}

/**
 * From the group up to the mount itself, in each mount. The walk matters twice: a limit may be set on any parent, and a
 * container that sees its host's path finds its own group at the mount.
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
