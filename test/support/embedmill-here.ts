/** Runs the `embedmill` command inside the test process: many cases without the start of a process for each. */

import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { exemptLoopback } from '@embedmill/client';
import { runProgram } from '../../apps/cli/src/program.ts';
import { type Ended, ISOLATED } from './embedmill.ts';

/** Events that a command listens to until its process ends. */
const PROCESS_EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'];

/** How to run {@link embedmillHere}. */
export interface EmbedmillHereOptions {
  /** Working folder of the process until the command ends: one command at a time. Default: unchanged. */
  cwd?: string;
  /** Content of stdin. Default: empty. */
  input?: string | Uint8Array;
  /** Environment variables added to those of the test run, for the whole process until the command ends. */
  env?: Readonly<Record<string, string>>;
}

/** Runs a command that works on a server, or is rejected before anything starts, to its end. */
export async function embedmillHere(
  args: readonly string[],
  { cwd = '.', input = '', env = {} }: EmbedmillHereOptions = {},
): Promise<Ended> {
  const stdin = new PassThrough();
  stdin.end(input);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const outputs = [text(stdout), text(stderr)];
  exemptLoopback('http://127.0.0.1');
  const before = process.cwd();
  const listeners = PROCESS_EVENTS.map((event) => [event, process.listeners(event as 'SIGINT')] as const);
  const variables = Object.keys(env).map((name) => [name, process.env[name]] as const);
  process.chdir(cwd);
  // The S3 client reads the variables of the process.
  Object.assign(process.env, env);
  try {
    const code = await runProgram(['node', 'embedmill', ...args], {
      environment: { ...process.env, ...ISOLATED, ...env },
      stdin,
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    });
    stdout.end();
    stderr.end();
    const [written = '', noted = ''] = await Promise.all(outputs);
    return { code, stdout: written, stderr: noted };
  } finally {
    process.chdir(before);
    for (const [name, value] of variables) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    for (const [event, earlier] of listeners) {
      const added = process.listeners(event as 'SIGINT').filter((listener) => !earlier.includes(listener));
      for (const listener of added) process.removeListener(event, listener);
    }
  }
}
