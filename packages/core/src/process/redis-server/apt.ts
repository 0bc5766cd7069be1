/**
 * Fetches the Redis binary of Debian or Ubuntu into the cache folder, without root and without changing the
 * system; used if there is no server on PATH.
 *
 * `apt-get install redis-server` needs root and enables a system service on port 6379. The binary itself is
 * in the package `redis-tools` (as `redis-check-rdb`, which acts as the server under the name
 * `redis-server`), so apt downloads and verifies that package and the missing libraries, which are unpacked
 * into one folder.
 */

import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fetchedCommand } from './find.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

const PACKAGE = 'redis-tools';

/**
 * Starts the unpacked server with the unpacked libraries; uses relative paths, so that the folder can be
 * renamed.
 */
const WRAPPER = `#!/bin/sh
# Written by Embedmill: runs the Redis server unpacked beside this script.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
libraries=
for folder in "$here"/root/usr/lib/*-linux-* "$here"/root/lib/*-linux-*; do
  [ -d "$folder" ] && libraries="$libraries\${libraries:+:}$folder"
done
LD_LIBRARY_PATH="$libraries" exec "$here/root/usr/bin/redis-server" "$@"
`;

/** Fetches the binary to {@link fetchedCommand}; returns an error message, or undefined on success. */
export async function fetchWithApt({
  cacheDir,
  log,
}: {
  cacheDir: string;
  log: (line: string) => void;
}): Promise<string | undefined> {
  const aptGet = await runProgram('apt-get', ['--version']);
  const dpkg = await runProgram('dpkg', ['--version']);
  if (aptGet.code !== 0 || dpkg.code !== 0) return 'apt-get is not installed';

  const target = dirname(dirname(fetchedCommand(cacheDir)));
  log(
    `Redis not found: fetching Debian's ${PACKAGE} package into ${target} (nothing is installed on the system)`,
  );
  await mkdir(cacheDir, { recursive: true });
  const draft = await mkdtemp(join(cacheDir, 'redis-draft-'));
  try {
    const failed = await unpackInto(draft);
    if (failed !== undefined) return failed;
    // An existing folder is damaged or was just created by another process; replacing it is safe in both
    // cases.
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
    return undefined;
  } catch (thrown) {
    return `cannot unpack the ${PACKAGE} package: ${thrown instanceof Error ? thrown.message : thrown}`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Downloads and unpacks the packages under `draft`; returns an error message, or undefined on success. */
async function unpackInto(draft: string): Promise<string | undefined> {
  const state = join(draft, 'apt');
  const packages = join(draft, 'packages');
  const root = join(draft, 'root');
  for (const folder of [join(state, 'lists/partial'), join(state, 'archives/partial'), packages, root]) {
    await mkdir(folder, { recursive: true });
  }
  // Separate package lists: only root can write those of the system, and they are empty in a new container.
  const own = ['-q', '-o', `Dir::State::lists=${join(state, 'lists')}`, '-o', `Dir::Cache=${state}`];
  const aptGet = (...args: string[]): Promise<ProgramResult> =>
    runProgram('apt-get', [...own, '-o', 'Debug::NoLocking=true', '-o', 'APT::Sandbox::User=', ...args], {
      cwd: packages,
      // A killed apt-get leaves its temporary files.
      environment: { TMPDIR: state },
      timeoutMs: 300_000,
    });

  const update = await aptGet('update');
  if (update.code !== 0) return `apt-get update failed: ${problemIn(update)}`;
  const plan = await aptGet('install', '--simulate', '--no-install-recommends', PACKAGE);
  if (plan.code !== 0) return `apt-get does not find ${PACKAGE}: ${problemIn(plan)}`;
  const missing = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  const download = await aptGet('download', ...new Set([PACKAGE, ...missing]));
  if (download.code !== 0) return `apt-get download failed: ${problemIn(download)}`;

  for (const file of await readdir(packages)) {
    const unpacked = await runProgram('dpkg', ['--extract', join(packages, file), root], {
      timeoutMs: 60_000,
    });
    if (unpacked.code !== 0) return `dpkg cannot unpack ${file}: ${problemIn(unpacked)}`;
  }
  await symlink('redis-check-rdb', join(root, 'usr/bin/redis-server'));
  await mkdir(join(draft, 'bin'));
  await writeFile(join(draft, 'bin/redis-server'), WRAPPER);
  await chmod(join(draft, 'bin/redis-server'), 0o755);
  await rm(state, { recursive: true });
  await rm(packages, { recursive: true });
  return undefined;
}

function problemIn({ stderr }: ProgramResult): string {
  return stderr.split('\n').find((line) => line.startsWith('E:')) ?? stderr.trim().slice(-200);
}
