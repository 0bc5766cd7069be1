/**
 * `npm test`: sets up the checkout and runs Vitest with the arguments after `--`, except `--redis 6.2|7|valkey`,
 * which selects the server; the last line is machine-readable.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTests } from './lib/count-tests.mjs';
import { main } from './lib/main.mjs';
import { ROOT } from './lib/root.mjs';
import { setUp } from './lib/setup.mjs';
import { takeRedisOption, withTestRedis } from './lib/test-redis.mjs';

await main(async () => {
  const { name, rest } = takeRedisOption(process.argv.slice(2));
  await setUp();
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-report-'));
  const report = join(folder, 'report.json');
  try {
    const code = await withTestRedis(name, (env) => runVitest(report, rest, env));
    if (code === undefined) return;
    process.exitCode = code;
    console.log(countTests(report));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Runs all tests, or those named by `args`; returns the exit code of Vitest. */
async function runVitest(report, args, env) {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to Vitest as well, and its output must be complete. Other signals are
  // forwarded.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  return code ?? 1;
}
