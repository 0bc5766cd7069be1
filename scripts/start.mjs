/**
 * `npm start`: sets the checkout up, then runs `embedmill up --sample` in this process, with the arguments
 * behind `--`.
 */

import { main } from './lib/main.mjs';
import { setUp } from './lib/setup.mjs';

await main(setUp);
if (process.exitCode === undefined) {
  // In this process, so that signals and the exit code are the command's own.
  process.argv.splice(2, 0, 'up', '--sample');
  await import('../apps/cli/dist/main.js');
}
