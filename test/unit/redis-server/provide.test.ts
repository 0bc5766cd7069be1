import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideRedis, resolveRedis } from '@embedmill/core/process';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { cacheDir } from '../../support/redis.ts';
import { onRedis } from './start.ts';

/** The path of a program on the original PATH. */
const pathOf = (program: string): string =>
  execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();

/** The path of the real server of this machine; found before PATH is replaced. */
const realCommand = await (async () => {
  const program = await provideRedis({ cacheDir, install: false, log: () => {} });
  if (program.kind !== 'binary') throw new Error('these tests run a real redis-server');
  return pathOf(program.command);
})();

/** Sets PATH to these scripts, the shell and its tools, to simulate another machine. */
function machineWith(programs: Readonly<Record<string, string>>): void {
  const bin = temporaryFolder();
  for (const [name, script] of Object.entries({ ...SHELL_TOOLS, ...programs })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  vi.stubEnv('PATH', bin);
}

const SHELL_TOOLS = Object.fromEntries(
  ['sh', 'sleep', 'cat', 'chmod', 'dirname', 'mkdir', 'sed', 'touch'].map((tool) => [
    tool,
    `exec ${pathOf(tool)} "$@"`,
  ]),
);

/** An apt-get with one package and a fake download; dpkg unpacks a server that only prints its version. */
const APT_GET = `
case "$*" in
  *--simulate*) echo 'Inst liblzf1 (3.6)'; echo 'Inst redis-tools (7.0.15)' ;;
  *download*) touch redis-tools.deb liblzf1.deb ;;
esac`;
const DPKG = `
[ "$1" = --extract ] || exit 0
mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
cat > "$3/usr/bin/redis-check-rdb" <<'END'
#!/bin/sh
echo "Redis server v=7.0.15 libraries=$LD_LIBRARY_PATH as=$0"
END
chmod 755 "$3/usr/bin/redis-check-rdb"`;

describe('provideRedis', () => {
  let lines: string[];
  const log = (line: string) => lines.push(line);

  beforeEach(() => {
    lines = [];
    return () => vi.unstubAllEnvs();
  });

  test('uses a server on PATH and fetches nothing', async () => {
    machineWith({ 'valkey-server': 'echo "Valkey server v=8.0.1 sha=0"' });
    const program = await provideRedis({ cacheDir: temporaryFolder(), install: true, log });
    expect(program).toEqual({ kind: 'binary', command: 'valkey-server', version: '8.0.1' });
    expect(lines).toEqual([]);
  });

  test('skips a server that is too old', async () => {
    machineWith({ 'redis-server': 'echo "Redis server v=6.0.16"', 'valkey-server': 'echo "v=7.2.5"' });
    const program = await provideRedis({ cacheDir: temporaryFolder(), install: false, log });
    expect(program).toMatchObject({ command: 'valkey-server' });
  });

  test("unpacks Debian's package into the cache, logs it, and finds it there the next time", async () => {
    const cache = temporaryFolder();
    machineWith({ 'apt-get': APT_GET, dpkg: DPKG });
    const program = await provideRedis({ cacheDir: cache, install: true, log });
    expect(program).toMatchObject({ kind: 'binary', command: join(cache, 'redis/bin/redis-server') });
    expect(lines).toEqual([expect.stringContaining(join(cache, 'redis'))]);

    machineWith({});
    expect(await provideRedis({ cacheDir: cache, install: false, log })).toEqual(program);
  });

  test('replaces a fetched server that no longer runs', async () => {
    const cache = temporaryFolder();
    mkdirSync(join(cache, 'redis/bin'), { recursive: true });
    writeFileSync(join(cache, 'redis/bin/redis-server'), 'garbage');
    machineWith({ 'apt-get': APT_GET, dpkg: DPKG });
    expect(await provideRedis({ cacheDir: cache, install: true, log })).toMatchObject({ version: '7.0.15' });
  });

  test('lists what it tried and what to install if nothing works', async () => {
    machineWith({
      'apt-get': 'case "$*" in *update*) echo "E: no network" >&2; exit 100 ;; esac',
      dpkg: '',
      docker: 'exit 1',
    });
    const cache = temporaryFolder();
    const failure = provideRedis({ cacheDir: cache, install: true, log });
    await expect(failure).rejects.toMatchObject({ code: 'redis-missing' });
    for (const part of [
      'apt-get update failed: E: no network',
      'Homebrew is not installed',
      'daemon is not running',
      'brew install redis',
      'REDIS_URL',
    ]) {
      await expect(failure).rejects.toThrow(part);
    }
    expect(existsSync(join(cache, 'redis'))).toBe(false);
  });

  test('fetches nothing if install is false', async () => {
    machineWith({ 'apt-get': APT_GET, dpkg: DPKG });
    const failure = provideRedis({ cacheDir: temporaryFolder(), install: false, log });
    await expect(failure).rejects.toMatchObject({ code: 'redis-missing' });
    expect(lines).toEqual([]);
  });
});

describe('resolveRedis', () => {
  test('tries another port if the first one is taken', async () => {
    const folder = temporaryFolder();
    machineWith({
      'redis-server': `
        [ "$1" = --version ] && exec "${realCommand}" --version
        [ -e "${folder}/tried" ] && exec "${realCommand}" "$@"
        touch "${folder}/tried"
        echo 'Warning: Could not create server TCP listening socket 127.0.0.1: bind: Address already in use'
        exit 1`,
    });
    await serves(folder);
    expect(existsSync(join(folder, 'tried'))).toBe(true);
  });

  test('runs the Docker image on a loopback port if there is no binary', async () => {
    // Simulates Docker: reads the folder and the port from the flags and runs the real server with them.
    machineWith({
      docker: `
        [ "$1" = run ] || exit 0
        while [ $# -gt 0 ]; do
          case "$1" in
            127.0.0.1:*:6379) port=\${1#127.0.0.1:}; port=\${port%:6379} ;;
            type=bind,source=*) folder=\${1#type=bind,source=}; folder=\${folder%,target=/data} ;;
          esac
          shift
        done
        sed "s#^dir .*#dir $folder#; s#^port .*#port $port#; s#^bind .*#bind 127.0.0.1#" \\
          "$folder/redis.conf" > "$folder/outside.conf"
        exec "${realCommand}" "$folder/outside.conf"`,
    });
    await serves(temporaryFolder());
  });

  /** Starts a private server with an empty cache, uses it and stops it. */
  async function serves(dataDir: string): Promise<void> {
    const redis = await resolveRedis({ dataDir, cacheDir: join(dataDir, 'cache') });
    try {
      expect(await onRedis(redis.url, (client) => client.ping())).toBe('PONG');
    } finally {
      await redis.stop();
      vi.unstubAllEnvs();
    }
  }
});
