/** The entry point of the `embedmill` command. */

import { exemptLoopback } from '@embedmill/client';
import { runProgram } from './program.ts';
import { ignoreClosedPipe } from './shell/closed-pipe.ts';

for (const stream of [process.stdout, process.stderr]) ignoreClosedPipe(stream);

// For stores and hubs on this machine too, and for child processes.
for (const host of ['localhost', '127.0.0.1', '[::1]']) exemptLoopback(`http://${host}`);

const code = await runProgram(process.argv, {
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});

// A channel to the parent, stdin or a timer of a library may keep the process alive, so it exits explicitly,
// once the output is flushed.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
