/** `npm start`: sets up the checkout and runs `embedmill up --sample` with the arguments after `--`. */

import { main } from './lib/main.mjs';
import { setUp } from './lib/setup.mjs';

await main(setUp);
if (process.exitCode === undefined) {
  // In this process, so that the command itself receives signals and sets the exit code.
  process.argv.splice(2, 0, 'up', '--sample');
  await import('../apps/cli/dist/main.js');
}
