/** Runs a program and captures its output; used by the steps of setup.mjs. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from './root.mjs';

/**
 * Runs `command` in the checkout and returns its output, which is not printed.
 * @throws {Error} with the first lines of the output if the command fails
 */
export async function run(title, command, args) {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${title} failed (${signal ?? `exit ${code}`}):\n${head(output.trim())}`);
  return output;
}

/** The first 30 lines: the reason comes first, and npm prints its usage after it. */
function head(text) {
  return text.split('\n').slice(0, 30).join('\n');
}
