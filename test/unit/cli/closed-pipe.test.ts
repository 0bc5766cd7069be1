/** Output into a pipe whose reader has ended. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

const MODULE = new URL('../../../apps/cli/dist/shell/closed-pipe.js', import.meta.url).href;

/** Writes once its reader has ended, and goes on. */
const PROGRAM = `
  import { ignoreClosedPipe } from '${MODULE}';
  ignoreClosedPipe(process.stdout);
  process.stdin.once('end', () => {
    process.stdout.write('row');
    setTimeout(() => process.exit(3), 10);
  }).resume();
`;

test('is dropped, and the work goes on to its own exit code', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  child.stdout.destroy();
  child.stdin.end();
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, 'close');
  expect({ code, errors }).toEqual({ code: 3, errors: '' });
});
