/** Runs the `embedmill` command inside the test process: many cases without the start of a process for each. */

import { PassThrough } from 'node:stream';
import { exemptLoopback } from '@embedmill/client';
import { runProgram } from '../../apps/cli/src/program.ts';
import type { Ended } from './embedmill.ts';

/** Events that a command listens to until its process ends. */
const PROCESS_EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'];

/** How to run {@link embedmillHere}. */
export interface EmbedmillHereOptions {
  /** Working folder of the process until the command ends: one command at a time. Default: unchanged. */
  cwd?: string;
  /** Content of stdin. Default: empty. */
  input?: string | Uint8Array;
  /** Environment variables of the command. Default: none. */
  env?: Readonly<Record<string, string>>;
}

/** Runs a command that works on a server, or is rejected before anything starts, to its end. */
export async function embedmillHere(
  args: readonly string[],
  { cwd = '.', input = '', env = {} }: EmbedmillHereOptions = {},
): Promise<Ended> {
  const stdin = new PassThrough();
  stdin.end(input);
  const outputs = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof outputs) =>
    new PassThrough().on('data', (bytes) => {
      outputs[name] += bytes;
    }) as unknown as NodeJS.WriteStream;
  const [stdout, stderr] = [stream('stdout'), stream('stderr')];
  exemptLoopback('http://127.0.0.1');
  const before = process.cwd();
  const listeners = PROCESS_EVENTS.map((event) => [event, process.listeners(event as 'SIGINT')] as const);
  process.chdir(cwd);
  try {
    const code = await runProgram(['node', 'embedmill', ...args], {
      environment: env,
      stdin,
      stdout,
      stderr,
    });
    return { code, ...outputs };
  } finally {
    process.chdir(before);
    for (const [event, earlier] of listeners) {
      const added = process.listeners(event as 'SIGINT').filter((listener) => !earlier.includes(listener));
      for (const listener of added) process.removeListener(event, listener);
    }
  }
}
