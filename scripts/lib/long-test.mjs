/**
 * Runs the tests of one vitest config, with variables for them; `chaos.mjs` and `soak.mjs` are such tests.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { setUp } from './setup.mjs';

/**
 * Makes the checkout ready, runs the tests and ends this process with their exit code.
 * @param {string} config name of the vitest config in the root
 * @param {Record<string, string>} env
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

/** Complains about the first option that is not a number above 0. */
export function mustBeNumbers(options) {
  for (const [name, value] of Object.entries(options)) {
    if (!(Number(value) > 0)) throw new Error(`--${name}: expected a number above 0, got "${value}"`);
  }
}
