/** Set-up of the checkout: Node version, packages, lock file, and the summary of the tests. */

import { cpSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const lib = (name: string): string => pathToFileURL(join(ROOT, 'scripts/lib', name)).href;

const { checkNodeVersion } = await import(lib('node-version.mjs'));
const { areDependenciesInstalled } = await import(lib('dependencies.mjs'));
const { countTests } = await import(lib('count-tests.mjs'));

describe('the Node version', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '100.1.0'])('%s is new enough', (version) => {
    expect(() => checkNodeVersion(version)).not.toThrow();
  });

  test.each(['20.18.3', '18.20.4', '8.0.0'])(
    '%s is rejected with the required and the actual version',
    (version) => {
      expect(() => checkNodeVersion(version)).toThrow(
        `requires Node 20.19 or later; this is Node ${version}`,
      );
    },
  );
});

describe('installed packages', () => {
  /** A checkout with `wanted` in its lock file and `installed` in node_modules. */
  function checkout(wanted: object, installed?: object): string {
    const root = temporaryFolder();
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
    mkdirSync(join(root, 'node_modules'));
    if (installed !== undefined) {
      writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
    }
    return root;
  }
  const left = { version: '1.0.0', integrity: 'sha512-a' };

  test('are missing after a clone and after an interrupted install', () => {
    expect(areDependenciesInstalled(checkout({ 'node_modules/left': left }))).toBe(false);
  });

  test('are complete if each is installed in its version', () => {
    const wanted = { '': {}, 'packages/core': {}, 'node_modules/left': left };
    expect(areDependenciesInstalled(checkout(wanted, { 'node_modules/left': left }))).toBe(true);
  });

  test('are outdated if the lock file has another version or content', () => {
    const installed = { 'node_modules/left': left };
    const newer = { 'node_modules/left': { ...left, version: '1.0.1' } };
    const other = { 'node_modules/left': { ...left, integrity: 'sha512-b' } };
    expect(areDependenciesInstalled(checkout(newer, installed))).toBe(false);
    expect(areDependenciesInstalled(checkout(other, installed))).toBe(false);
  });

  test('may lack packages for other platforms', () => {
    const wanted = { 'node_modules/left': left, 'node_modules/mac-only': { ...left, optional: true } };
    expect(areDependenciesInstalled(checkout(wanted, { 'node_modules/left': left }))).toBe(true);
  });
});

test('the lock file lists the binaries of every platform, so that npm ci works on each', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
  const wanted = Object.values(packages).flatMap(({ optionalDependencies }) =>
    Object.keys(optionalDependencies ?? {}),
  );
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

describe('the set-up lock', () => {
  const script = (lock: string, body: string): string[] => [
    '--input-type=module',
    '--eval',
    `import { withLock } from '${lib('lock.mjs')}';
     await withLock(${JSON.stringify(lock)}, async () => { ${body} },
       { onWait: (pid) => console.log('waits for ' + pid) });`,
  ];

  test('makes a second process wait and reports the holder', async () => {
    const lock = join(temporaryFolder(), 'setup.lock');
    const first = startNode(
      script(
        lock,
        "console.log('in'); const stay = setInterval(() => {}, 1_000); await new Promise((r) => process.once('SIGUSR2', r)); clearInterval(stay);",
      ),
      {},
    );
    await first.waitFor(/in/);
    const second = startNode(script(lock, "console.log('second is in');"));
    await second.waitFor(new RegExp(`waits for ${first.pid}`));
    expect(second.stdout).not.toContain('second is in');
    first.kill('SIGUSR2');
    await second.waitFor(/second is in/);
    expect(await second.waitForExit()).toEqual({ code: 0, signal: null });
    expect(existsSync(lock)).toBe(false);
  });

  test('is never held by two processes at once', async () => {
    const folder = temporaryFolder();
    const lock = join(folder, 'setup.lock');
    const tally = join(folder, 'tally');
    writeFileSync(tally, '');
    const body = `
      const { appendFileSync } = await import('node:fs');
      appendFileSync('${tally}', '(');
      await new Promise((r) => setTimeout(r, 20));
      appendFileSync('${tally}', ')');`;
    const processes = Array.from({ length: 6 }, () => startNode(script(lock, body)));
    for (const one of processes) expect(await one.waitForExit()).toMatchObject({ code: 0 });
    expect(readFileSync(tally, 'utf8')).toBe('()()()()()()');
  });

  test('is taken over from a killed process', async () => {
    const lock = join(temporaryFolder(), 'setup.lock');
    const first = startNode(
      script(lock, "console.log('in'); await new Promise((r) => setTimeout(r, 60_000));"),
    );
    await first.waitFor(/in/);
    first.kill('SIGKILL');
    await first.exited;
    const second = startNode(script(lock, "console.log('second is in');"));
    await second.waitFor(/second is in/);
  });

  test('is taken over if another process has the id of its holder by now', async () => {
    const lock = join(temporaryFolder(), 'setup.lock');
    writeFileSync(lock, String(process.pid));
    utimesSync(lock, new Date('2024-01-01'), new Date('2024-01-01'));
    const second = startNode(script(lock, "console.log('second is in');"));
    await second.waitFor(/second is in/);
  });
});

describe('the last line of npm test', () => {
  const count = (report: object): string => {
    const path = join(temporaryFolder(), 'report.json');
    writeFileSync(path, JSON.stringify(report));
    return countTests(path);
  };
  const totals = {
    numPassedTests: 7,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [],
  };

  test('counts passed, failed and skipped tests', () => {
    expect(count(totals)).toBe('7 passed, 1 failed, 3 skipped');
  });

  test('counts a test file that cannot be loaded as failed', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(count({ ...totals, testResults: [broken] })).toBe('7 passed, 2 failed, 3 skipped');
  });

  test('reports a failure if there is no report', () => {
    expect(countTests('/nonexistent')).toBe('0 passed, 1 failed, 0 skipped');
  });
});

test('the command of an unbuilt package prints a message, not a stack', async () => {
  const folder = temporaryFolder();
  cpSync(join(ROOT, 'apps/cli/bin'), join(folder, 'bin'), { recursive: true });
  const run = startNode([join(folder, 'bin/embedmill.mjs')]);
  expect(await run.waitForExit()).toMatchObject({ code: 1 });
  expect(run.stderr).toBe(
    'embedmill: dist/main.js is missing, so this package is damaged. Install it again.\n',
  );
});

test('a second set-up does nothing and prints nothing', async () => {
  const script = `import { setUp } from '${lib('setup.mjs')}'; await setUp();`;
  const setUp = () => startNode(['--input-type=module', '--eval', script]);
  const first = setUp();
  expect(await first.waitForExit(), first.stderr).toMatchObject({ code: 0 });
  const second = setUp();
  expect(await second.waitForExit()).toMatchObject({ code: 0 });
  expect(second.stdout + second.stderr).toBe('');
});
