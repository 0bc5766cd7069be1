/** The `embedmill` command: the built entry of every way to start something. */

import { runProgram } from './program.ts';

process.exitCode = await runProgram(process.argv, {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});

// Of a child of `up` or `embed`: an open channel would keep a process alive that has nothing left to do.
if (process.connected) process.disconnect();
