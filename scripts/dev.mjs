/**
 * `npm run dev`: compiles on every change and restarts `embedmill up` (Redis, producer, worker) with the new
 * code; arguments after `--` are passed to `up`.
 *
 * Compile errors are only printed: the processes of the last successful build continue. The first Ctrl-C
 * shuts everything down in order, the second one immediately.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DevService, startScript } from './lib/dev-service.mjs';
import { main } from './lib/main.mjs';
import { bundlePages } from './lib/pages.mjs';
import { ROOT } from './lib/root.mjs';
import { setUp } from './lib/setup.mjs';

/** Data of development: runs and the private Redis, separate from the default data folder of the user. */
const DATA_DIR = process.env.EMBEDMILL_DATA_DIR ?? join(ROOT, '.embedmill/dev');

/** Output of tsc after a successful build. */
const GOOD_BUILD = /Found 0 errors/;

await main(async () => {
  console.log(
    'Watching TypeScript: each successful build restarts Redis, producer and worker. Ctrl-C stops.',
  );
  console.log(`Runs are kept in ${DATA_DIR}.`);
  await setUp();

  const service = new DevService(process.argv.slice(2), { EMBEDMILL_DATA_DIR: DATA_DIR });
  const tsc = startScript('node_modules/typescript/bin/tsc', ['-b', '--watch', '--preserveWatchOutput'], {
    stdout: 'pipe',
  });
  const tscEnded = once(tsc, 'close');
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (isStopping) service.stopNow();
      isStopping = true;
      // The whole process group, because the launcher of tsc does not forward signals to the compiler.
      if (tsc.exitCode === null && tsc.signalCode === null) process.kill(-tsc.pid, 'SIGTERM');
    });
  }

  let restarted = Promise.resolve();
  createInterface({ input: tsc.stdout }).on('line', (line) => {
    console.log(line);
    if (GOOD_BUILD.test(line)) restarted = restarted.then(() => (isStopping ? undefined : restart(service)));
  });
  await tscEnded;
  if (!isStopping) {
    console.error('tsc ended; stopping.');
    process.exitCode = 1;
  }
  isStopping = true;
  await restarted;
  await service.stop();
});

/** Bundles the pages and restarts the service; an error in the bundle is printed like a compile error. */
async function restart(service) {
  try {
    await bundlePages();
  } catch (error) {
    console.error(error.message);
    return;
  }
  await service.stop();
  service.start();
}
