/** Runs the tests of one Vitest config; used by chaos.mjs and soak.mjs. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { setUp } from './setup.mjs';

/**
 * Sets up the checkout, runs the tests and sets the exit code of this process.
 * @param {string} config name of the Vitest config in the root
 * @param {Record<string, string>} env environment variables for the tests
 */
export async function runLongTest(config, env) {
  await setUp();
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--config', config], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
}

/** @throws {Error} for the first option that is not a number above 0 */
export function assertPositiveNumbers(options) {
  for (const [name, value] of Object.entries(options)) {
    if (!(Number(value) > 0)) throw new Error(`--${name}: expected a number above 0, got "${value}"`);
  }
}
