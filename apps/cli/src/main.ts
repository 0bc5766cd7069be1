/** The `embedmill` command: the built entry of every way to start something. */

import { runProgram } from './program.ts';

process.exitCode = await runProgram(process.argv, {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
