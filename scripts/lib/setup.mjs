/**
 * Sets up the checkout: packages, compiled code, bundled pages, compiled model. Called by `npm start`, `npm
 * test` and `npm run build`.
 */

import { join } from 'node:path';
import { compile } from './compile.mjs';
import { areDependenciesInstalled, installDependencies } from './dependencies.mjs';
import { withLock } from './lock.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { bundlePages } from './pages.mjs';
import { ROOT } from './root.mjs';
import { run } from './run.mjs';

/**
 * Performs the missing steps and prints one line for each to stderr; prints nothing if the checkout is up to
 * date. A lock file prevents two set-ups at the same time.
 *
 * @param {{ model?: boolean }} options `model`: whether to compile the model as well; default true
 */
export async function setUp({ model = true } = {}) {
  checkNodeVersion();
  await withLock(join(ROOT, '.embedmill/setup.lock'), () => runMissingSteps(model), {
    onWait: (pid) => log(`Waiting for process ${pid}, which is setting up the same checkout.`),
  });
}

async function runMissingSteps(model) {
  if (!areDependenciesInstalled()) {
    log('Installing the npm packages (npm ci) ...');
    await step('Installed the npm packages', async () => {
      await installDependencies();
      return true;
    });
  }
  await step('Built the packages', compile);
  await step('Built the exact engine', buildExactEngine);
  await step('Bundled the pages', bundlePages);
  if (model) await step('Compiled the model all-MiniLM-L6-v2', compileModel);
}

/** Returns whether the addon was built. It is optional: without it, ONNX Runtime is used. */
async function buildExactEngine() {
  // Imported here, because its packages may have been installed by an earlier step.
  const { buildEngine } = await import('../../packages/engine/scripts/build.mjs');
  const result = await buildEngine();
  if (typeof result === 'object')
    log(`The exact engine was not built, ONNX Runtime is used instead: ${result.skipped}.`);
  return result === 'built';
}

/** Returns whether the model was compiled; false if it was in the cache. */
async function compileModel() {
  const output = await run('compiling the model', process.execPath, [
    join(ROOT, 'scripts/lib/compile-model.mjs'),
  ]);
  return output.trim() === 'compiled';
}

/** Runs `work` and, if it returns true, prints the time that it took. */
async function step(done, work) {
  const startMs = performance.now();
  if (await work()) log(`${done} in ${((performance.now() - startMs) / 1000).toFixed(1)} s.`);
}

function log(line) {
  process.stderr.write(`${line}\n`);
}
