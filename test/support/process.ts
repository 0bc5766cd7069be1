/** Runs Node scripts as child processes, for tests that interrupt, kill or wait for them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** How to start a {@link TestProcess}. */
export interface TestProcessOptions {
  /** Environment variables added to those of the test run; `undefined` removes one. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Content of stdin. Default: empty. */
  input?: string | Uint8Array;
  /** Whether stdin stays open after `input`, as a terminal does. Default false. */
  keepsInput?: boolean;
  /** `cgroup.procs` file of a cgroup that the process joins before Node starts. */
  cgroup?: string;
}

/** How a process exited; exactly one of the two is not null. */
export interface TestProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process and its output so far. */
export class TestProcess {
  /** Output on stdout so far. */
  stdout = '';
  /** Output on stderr so far. */
  stderr = '';
  /** Resolves when the process has exited and all its output has been read. */
  readonly exited: Promise<TestProcessExit>;

  readonly #child: ChildProcess;
  readonly #title: string;
  #exit: TestProcessExit | undefined;

  constructor(
    args: readonly string[],
    { env = {}, cwd, input = '', keepsInput = false, cgroup }: TestProcessOptions,
  ) {
    this.#title = `node ${args.join(' ')}`;
    const join = cgroup === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', cgroup];
    const [command = '', ...rest] = [...join, process.execPath, ...args];
    this.#child = spawn(command, rest, {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A child that exits without reading its input breaks the pipe; the test checks how it exited.
    this.#child.stdin?.on('error', () => {});
    if (keepsInput) this.#child.stdin?.write(input);
    else this.#child.stdin?.end(input);
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#exit = { code, signal };
      return this.#exit;
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#title} could not be started`);
    return this.#child.pid;
  }

  /** Sends a signal; no effect if the process has exited. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Waits until stdout or stderr matches, and returns the match. Fails with the whole output when the process
   * exits first or after `timeoutMs` (default 2 minutes).
   */
  async waitFor(pattern: RegExp, timeoutMs = 120_000): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (this.#exit !== undefined) throw this.#failure(`waited for ${pattern}, but it exited`);
      if (deadline.aborted) throw this.#failure(`waited ${timeoutMs} ms for ${pattern}`);
      await this.#nextEvent(deadline);
    }
  }

  /** Waits for the exit. Fails with the whole output after `timeoutMs` (default 2 minutes). */
  async waitForExit(timeoutMs = 120_000): Promise<TestProcessExit> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (this.#exit === undefined) {
      if (deadline.aborted) throw this.#failure(`waited ${timeoutMs} ms for its exit`);
      await this.#nextEvent(deadline);
    }
    return this.#exit;
  }

  /** Resolves on new output, on exit, or at the deadline. */
  async #nextEvent(deadline: AbortSignal): Promise<void> {
    const settled = new AbortController();
    const signal = AbortSignal.any([settled.signal, deadline]);
    const news = [this.#child.stdout, this.#child.stderr].flatMap((stream) =>
      stream === null || stream.closed ? [] : [once(stream, 'data', { signal })],
    );
    const waited = Promise.race([...news, this.exited, once(signal, 'abort')]);
    await waited.catch(() => {});
    settled.abort();
  }

  #failure(what: string): Error {
    const end = this.#exit === undefined ? 'still running' : `exited with ${JSON.stringify(this.#exit)}`;
    const output = `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
    return new Error(`${this.#title}: ${what} (${end})\n${output}`);
  }
}

/** Starts `node ...args`; after the test, the process is killed if it still runs, and its exit is awaited. */
export function startNode(args: readonly string[], options: TestProcessOptions = {}): TestProcess {
  const started = new TestProcess(args, options);
  onTestFinished(async () => {
    started.kill('SIGKILL');
    await started.exited;
  });
  return started;
}

/**
 * Resolves when no process has this id; fails after `timeoutMs` (default 1 minute). For processes other than
 * children.
 */
export async function waitUntilGone(pid: number, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (isRunning(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still running after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** True when a process has this id. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resident memory of a process in bytes; Linux only. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
