/** Runs another program to its end and returns its output. */

import { execFile } from 'node:child_process';

/** The exit code and the output of a program. */
export interface ProgramResult {
  /** Exit code; 127 if the program does not exist, 1 if a signal or the timeout ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `command` without a shell; does not throw if it is missing or fails. `timeoutMs` defaults to 10 s. */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs = 10_000 }: { cwd?: string; timeoutMs?: number } = {},
): Promise<ProgramResult> {
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
