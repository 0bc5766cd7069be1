/** The `embedmill` command: the built entry of every way to start something. */

import { runProgram } from './program.ts';

const code = await runProgram(process.argv, {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});

// Everything has ended, but the channel to a parent, stdin or a library's timer may keep the process; so it ends itself,
// when what was written is out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
