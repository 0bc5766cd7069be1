/** Runs another program to its end and returns what it printed; used by the search for Redis and its fetching. */

import { execFile } from 'node:child_process';

/** How a program ended. */
export interface Ran {
  /** Its exit code; 127 when it does not exist, 1 when a signal or the deadline ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `command` without a shell; never throws for a program that is missing or fails. `timeoutMs` defaults to 10 s. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs = 10_000 }: { cwd?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { ...(cwd === undefined ? {} : { cwd }), timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (error.code === 'ENOENT') resolve({ code: 127, stdout, stderr: error.message });
        else
          resolve({
            code: typeof error.code === 'number' ? error.code : 1,
            stdout,
            stderr: stderr || error.message,
          });
      },
    );
  });
}
