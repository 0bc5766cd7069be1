/**
 * `npm run dev`: compiles on every change and restarts `embedmill up` (Redis, producer, worker) with the new code;
 * arguments behind `--` go to `up`.
 *
 * Compile errors are printed and change nothing else: the processes of the last good build go on. The first Ctrl-C
 * stops everything in order, a second one at once.
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DevService, startScript } from './lib/dev-service.mjs';
import { main } from './lib/main.mjs';
import { bundlePages } from './lib/pages.mjs';
import { ROOT } from './lib/root.mjs';
import { setUp } from './lib/setup.mjs';

/** Runs and the private Redis of development; not those that the user of this machine has. */
const DATA_DIR = process.env.EMBEDMILL_DATA_DIR ?? join(ROOT, '.embedmill/dev');

/** What tsc prints after a build without errors. */
const GOOD_BUILD = /Found 0 errors/;

await main(async () => {
  console.log('Watching TypeScript: each good build restarts Redis, producer and worker. Ctrl-C stops.');
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
      if (isStopping) service.hurry();
      isStopping = true;
      // The whole group: tsc's launcher does not pass signals to the compiler.
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

/** Starts the service with the code and pages of now. Pages that do not bundle are reported, as compile errors are. */
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
