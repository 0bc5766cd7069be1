/**
 * Fetches Debian's or Ubuntu's Redis binary into the cache folder, without root and without touching the system;
 * called when no server is on PATH.
 *
 * `apt-get install redis-server` would need root and would enable a system service on port 6379. The binary itself is
 * in the package `redis-tools` (as `redis-check-rdb`, which is the server when it is called `redis-server`), so we let
 * apt verify and download that package and the libraries this machine lacks, and unpack them beside each other.
 */

import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchedCommand } from './find.ts';
import { type Ran, run } from './run.ts';

const PACKAGE = 'redis-tools';

/** Starts the unpacked server with the unpacked libraries; moves with its folder, so the folder can be renamed. */
const WRAPPER = `#!/bin/sh
# Written by Embedmill: runs the Redis server unpacked beside this script.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
libraries=
for folder in "$here"/root/usr/lib/*-linux-* "$here"/root/lib/*-linux-*; do
  [ -d "$folder" ] && libraries="$libraries\${libraries:+:}$folder"
done
LD_LIBRARY_PATH="$libraries" exec "$here/root/usr/bin/redis-server" "$@"
`;

/** Fetches the binary to {@link fetchedCommand}; returns what went wrong, undefined if nothing did. */
export async function fetchWithApt({
  cacheDir,
  log,
}: {
  cacheDir: string;
  log: (line: string) => void;
}): Promise<string | undefined> {
  const aptGet = await run('apt-get', ['--version']);
  const dpkg = await run('dpkg', ['--version']);
  if (aptGet.code !== 0 || dpkg.code !== 0) return 'no apt-get here';

  const target = dirname(dirname(fetchedCommand(cacheDir)));
  log(
    `Redis is missing: fetching Debian's ${PACKAGE} package into ${target} (nothing is installed on the system)`,
  );
  await mkdir(cacheDir, { recursive: true });
  const draft = await mkdtemp(join(cacheDir, 'redis-draft-'));
  try {
    const failed = await unpackInto(draft);
    if (failed !== undefined) return failed;
    // A folder that is there already is broken, or another process was faster; either way ours is as good.
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
    return undefined;
  } catch (thrown) {
    return `the ${PACKAGE} package could not be unpacked: ${thrown instanceof Error ? thrown.message : thrown}`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Downloads and unpacks the packages under `draft`; returns what went wrong, undefined if nothing did. */
async function unpackInto(draft: string): Promise<string | undefined> {
  const state = join(draft, 'apt');
  const packages = join(draft, 'packages');
  const root = join(draft, 'root');
  for (const folder of [join(state, 'lists/partial'), join(state, 'archives/partial'), packages, root]) {
    await mkdir(folder, { recursive: true });
  }
  // Own package lists: a user may not write the system's, and in a fresh container they are empty.
  const own = ['-q', '-o', `Dir::State::lists=${join(state, 'lists')}`, '-o', `Dir::Cache=${state}`];
  const aptGet = (...args: string[]): Promise<Ran> =>
    run('apt-get', [...own, '-o', 'Debug::NoLocking=true', '-o', 'APT::Sandbox::User=', ...args], {
      cwd: packages,
      timeoutMs: 300_000,
    });

  const update = await aptGet('update');
  if (update.code !== 0) return `apt-get update failed: ${problemIn(update)}`;
  const plan = await aptGet('install', '--simulate', '--no-install-recommends', PACKAGE);
  if (plan.code !== 0) return `apt-get knows no ${PACKAGE}: ${problemIn(plan)}`;
  const missing = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  const download = await aptGet('download', ...new Set([PACKAGE, ...missing]));
  if (download.code !== 0) return `apt-get download failed: ${problemIn(download)}`;

  for (const file of await readdir(packages)) {
    const unpacked = await run('dpkg', ['--extract', join(packages, file), root], { timeoutMs: 60_000 });
    if (unpacked.code !== 0) return `dpkg could not unpack ${file}: ${problemIn(unpacked)}`;
  }
  await symlink('redis-check-rdb', join(root, 'usr/bin/redis-server'));
  await mkdir(join(draft, 'bin'));
  await writeFile(join(draft, 'bin/redis-server'), WRAPPER);
  await chmod(join(draft, 'bin/redis-server'), 0o755);
  await rm(state, { recursive: true });
  await rm(packages, { recursive: true });
  return undefined;
}

function problemIn({ stderr }: Ran): string {
  return stderr.split('\n').find((line) => line.startsWith('E:')) ?? stderr.trim().slice(-200);
}
