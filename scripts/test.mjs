/**
 * `npm test`: sets the checkout up and runs vitest with the arguments behind `--`, except `--redis 6.2|7|valkey`;
 * the last line is for programs.
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

/** Runs all tests, or those that `args` name; returns vitest's exit code. */
async function runVitest(report, args, env) {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  // A Ctrl-C reaches vitest by itself; we stay for its last words. Other signals come to us only.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  return code ?? 1;
}
