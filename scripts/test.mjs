/**
 * `npm test`: sets up the checkout and runs Vitest with the arguments after `--`; the last line is
 * machine-readable.
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

await main(async () => {
  await setUp();
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-report-'));
  const report = join(folder, 'report.json');
  try {
    process.exitCode = await runVitest(report);
    console.log(countTests(report));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Runs all tests, or those named by the arguments; returns the exit code of Vitest. */
async function runVitest(report) {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to Vitest as well, and its output must be complete. Other signals are
  // forwarded.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  return code ?? 1;
}
