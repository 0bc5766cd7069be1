/** Provides a Redis server program: finds one on this machine, or fetches one. */

import { UnavailableError } from '@embedmill/contract';
import { fetchWithApt } from './apt.ts';
import { findDocker } from './docker.ts';
import { findRedis, type RedisProgram } from './find.ts';
import { runProgram } from './run-program.ts';

/** Options of {@link provideRedis}. */
export interface ProvideRedisOptions {
  /** EMBEDMILL_CACHE; a fetched binary is kept in the folder `redis` inside it. */
  cacheDir: string;
  /** Whether a missing binary may be fetched. */
  install: boolean;
  /** Receives one line before each step that takes time or changes the machine. */
  log: (line: string) => void;
}

const ADVICE = `Install one of them, or set REDIS_URL to an existing Redis (6.2 or newer) or Valkey:
  Debian, Ubuntu    sudo apt-get install redis-server
  Fedora, RHEL      sudo dnf install valkey
  Alpine            sudo apk add redis
  Arch              sudo pacman -S valkey
  macOS             brew install redis
  Windows           use WSL, then as on Ubuntu`;

/**
 * Returns the first available server: on PATH, fetched earlier, Debian's package unpacked into the cache
 * folder, Homebrew's, Docker's. Throws `redis-missing`, which lists what was tried and what to install.
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
    `no Redis server found:\n${tried.map((reason) => `  - ${reason}`).join('\n')}\n${ADVICE}`,
  );
}

/**
 * Installs Redis with Homebrew, which does not start a service; returns an error message, or undefined on
 * success.
 */
async function installWithBrew({ log }: { log: (line: string) => void }): Promise<string | undefined> {
  if ((await runProgram('brew', ['--version'])).code !== 0) return 'Homebrew is not installed';
  log('Redis not found: running "brew install redis" (no service is started)');
  const { code, stderr } = await runProgram('brew', ['install', 'redis'], { timeoutMs: 600_000 });
  return code === 0 ? undefined : `brew install redis failed: ${lastLine(stderr)}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
