/** Runs Node scripts as processes of their own, for tests that interrupt, kill or wait for them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** How to start a {@link TestProcess}. */
export interface TestProcessOptions {
  /** Variables besides (or instead of) those of the test run; `undefined` removes one. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** What the process reads on stdin; without it, stdin is empty. */
  input?: string | Uint8Array;
  /** Whether stdin stays open behind `input`, as a terminal does. Default false. */
  keepsInput?: boolean;
}

/** How a process ended; exactly one of the two is not null. */
export interface TestProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A running child with everything it said so far. */
export class TestProcess {
  /** What it wrote to stdout so far. */
  stdout = '';
  /** What it wrote to stderr so far. */
  stderr = '';
  /** Settles when it ended and all its output is here. */
  readonly exited: Promise<TestProcessExit>;

  readonly #child: ChildProcess;
  readonly #title: string;
  #exit: TestProcessExit | undefined;

  constructor(
    args: readonly string[],
    { env = {}, cwd, input = '', keepsInput = false }: TestProcessOptions,
  ) {
    this.#title = `node ${args.join(' ')}`;
    this.#child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A child that ends without reading its input breaks the pipe; the test sees how it ended.
    this.#child.stdin?.on('error', () => {});
    if (keepsInput) this.#child.stdin?.write(input);
    else this.#child.stdin?.end(input);
    this.exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#exit = { code, signal };
      return this.#exit;
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#title} was not started`);
    return this.#child.pid;
  }

  /** Sends a signal; nothing happens if the process ended already. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Waits until stdout or stderr matches and returns the match. Fails with the whole output when the process ends
   * first or after `timeoutMs` (default 20 s).
   */
  async waitFor(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (match !== null) return match;
      if (this.#exit !== undefined) throw this.#failure(`waited for ${pattern}, but it ended`);
      if (deadline.aborted) throw this.#failure(`waited ${timeoutMs} ms for ${pattern}`);
      await this.#nextEvent(deadline);
    }
  }

  /** Waits for the end. Fails with the whole output after `timeoutMs` (default 20 s). */
  async waitForExit(timeoutMs = 20_000): Promise<TestProcessExit> {
    const deadline = AbortSignal.timeout(timeoutMs);
    while (this.#exit === undefined) {
      if (deadline.aborted) throw this.#failure(`waited ${timeoutMs} ms for its end`);
      await this.#nextEvent(deadline);
    }
    return this.#exit;
  }

  /** Resolves when it says something, ends, or `deadline` comes. */
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
    const end = this.#exit === undefined ? 'it still runs' : `it ended with ${JSON.stringify(this.#exit)}`;
    const output = `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
    return new Error(`${this.#title}: ${what} (${end})\n${output}`);
  }
}

/** Starts `node ...args`; the process is killed after the test if it still runs, and the test waits until it is gone. */
export function startNode(args: readonly string[], options: TestProcessOptions = {}): TestProcess {
  const started = new TestProcess(args, options);
  onTestFinished(async () => {
    started.kill('SIGKILL');
    await started.exited;
  });
  return started;
}

/** Resolves when no process with this id exists; fails after `timeoutMs` (default 10 s). For processes that are not our children. */
export async function waitUntilGone(pid: number, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (isRunning(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} still runs after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process with this id exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resident memory of a process; Linux only. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
