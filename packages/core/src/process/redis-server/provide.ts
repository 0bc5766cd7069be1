/** Makes sure that this machine can run a Redis server: finds one, else fetches one; called before a private server starts. */

import { UnavailableError } from '@embedmill/contract';
import { fetchWithApt } from './apt.ts';
import { findDocker } from './docker.ts';
import { findRedis, type RedisProgram } from './find.ts';
import { run } from './run.ts';

/** What {@link provideRedis} needs. */
export interface ProvideRedisOptions {
  /** EMBEDMILL_CACHE; a fetched binary is kept in the folder `redis` inside it. */
  cacheDir: string;
  /** Whether a missing binary may be fetched. */
  install: boolean;
  /** Receives one line for each thing that takes time or changes the machine. */
  log: (line: string) => void;
}

const ADVICE = `Install one of them, or set REDIS_URL to a Redis (6.2 or newer) or Valkey that exists:
  Debian, Ubuntu    sudo apt-get install redis-server
  Fedora, RHEL      sudo dnf install valkey
  Alpine            sudo apk add redis
  Arch              sudo pacman -S valkey
  macOS             brew install redis
  Windows           use WSL, then as on Ubuntu`;

/**
 * Returns a server to run, in this order: one on PATH, one fetched earlier, Debian's package unpacked into the cache
 * folder, Homebrew's, Docker's. Error `redis-missing` names what to install when nothing works, and what was tried.
 */
export async function provideRedis({ cacheDir, install, log }: ProvideRedisOptions): Promise<RedisProgram> {
  const found = await findRedis(cacheDir);
  if (found !== undefined) return found;

  const tried = ['no redis-server or valkey-server of version 6.2 or newer on PATH'];
  if (install) {
    for (const fetch of [fetchWithApt, installWithBrew]) {
      const problem = await fetch({ cacheDir, log });
      if (problem !== undefined) tried.push(problem);
      const fetched = await findRedis(cacheDir);
      if (fetched !== undefined) return fetched;
    }
    const docker = await findDocker(log);
    if (typeof docker !== 'string') return docker;
    tried.push(docker);
  }
  throw new UnavailableError(
    'redis-missing',
    `Embedmill needs a Redis server and found none:\n${tried.map((reason) => `  - ${reason}`).join('\n')}\n${ADVICE}`,
  );
}

/** Installs Homebrew's Redis, which starts no service by itself; returns what went wrong, if anything did. */
async function installWithBrew({ log }: { log: (line: string) => void }): Promise<string | undefined> {
  if ((await run('brew', ['--version'])).code !== 0) return 'no Homebrew here';
  log('Redis is missing: running "brew install redis" (no service is started)');
  const { code, stderr } = await run('brew', ['install', 'redis'], { timeoutMs: 600_000 });
  return code === 0 ? undefined : `brew install redis failed: ${lastLine(stderr)}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
