/**
 * Makes a checkout ready to run: packages, compiled code, bundled pages, compiled model; called by `npm
 * start`, `npm test` and `npm run build`.
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
 * Does what is missing and says so on stderr, one line for each thing done; says nothing when all is there.
 * Two set-ups at once do not meet.
 *
 * @param {{ model?: boolean }} options whether the model is compiled, too; default true
 */
export async function setUp({ model = true } = {}) {
  checkNodeVersion();
  await withLock(join(ROOT, '.embedmill/setup.lock'), () => doWhatIsMissing(model), {
    onWait: (pid) => say(`Waiting for process ${pid}, which sets up the same checkout.`),
  });
}

async function doWhatIsMissing(model) {
  if (!areDependenciesInstalled()) {
    say('Installing the npm packages (npm ci) ...');
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

/** Returns whether the addon was built; without it ONNX Runtime computes, so no failure ends the set-up. */
async function buildExactEngine() {
  // Loaded here: its packages may just have been installed.
  const { buildEngine } = await import('../../packages/engine/scripts/build.mjs');
  const result = await buildEngine();
  if (typeof result === 'object')
    say(`No exact engine on this machine, ONNX Runtime computes: ${result.skipped}.`);
  return result === 'built';
}

/** Returns whether the model was compiled; false when it was in the cache. */
async function compileModel() {
  const output = await run('compiling the model', process.execPath, [
    join(ROOT, 'scripts/lib/compile-model.mjs'),
  ]);
  return output.trim() === 'compiled';
}

/** Does `work` and, if that returns true, says how long it took. */
async function step(done, work) {
  const startMs = performance.now();
  if (await work()) say(`${done} in ${((performance.now() - startMs) / 1000).toFixed(1)} s.`);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
