/** Runs another program to its end and returns its output. */

import { execFile } from 'node:child_process';

/** The exit code and the output of a program. */
export interface ProgramResult {
  /** Exit code; 127 if the program does not exist, 1 if a signal or the timeout ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** How a program is run. */
export interface ProgramOptions {
  cwd?: string;
  environment?: Readonly<Record<string, string>>;
  timeoutMs?: number;
}

/**
 * Runs `command` without a shell; does not throw if it is missing or fails. `timeoutMs` defaults to 10 s; `environment` is
 * added to that of this process.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, environment, timeoutMs = 10_000 }: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      {
        ...(cwd === undefined ? {} : { cwd }),
        env: { ...process.env, ...environment },
        timeout: timeoutMs,
        maxBuffer: 64 * 1024 * 1024,
      },
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
