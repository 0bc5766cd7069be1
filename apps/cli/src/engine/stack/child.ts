/** Supervises a child process: starts it, restarts it when it exits, and stops it with the command. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';
import type { ChildReport, Environment } from '@embedmill/core/process';

/** How to run a child. */
export interface SupervisedChildOptions {
  /** The command of the CLI to run; also the child's name in messages. */
  command: 'producer' | 'worker';
  /** Called at every start. */
  environment: () => Environment;
  /** File for stdout and stderr of the child. */
  logPath: string;
  /** Receives a line when the child has exited and is restarted. */
  onNote: (line: string) => void;
  /** Receives the id of every started process. */
  onStart: (pid: number) => void;
}

/** The entry of this command. */
const ENTRY = new URL('../../main.js', import.meta.url);

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;
/** After this uptime an exit counts as the first one: it is reported, and the pause is short. */
const HEALTHY_MS = 30_000;
/** Maximum consecutive starts that end before the child is ready. */
const MAX_FAILED_STARTS = 5;

/** Lines of the log quoted in errors. */
const LOG_TAIL_LINES = 12;

/** Numeric levels of pino: https://github.com/pinojs/pino/blob/main/docs/api.md#logger-level */
const LOG_LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/**
 * A child process that is restarted when it exits, unless it reported that another start would end for the same reason.
 *
 * It has its own session, so that Ctrl-C in the terminal reaches only this command, which then stops its
 * children in order. A child also stops when its IPC channel closes, which happens even if this command is
 * killed.
 */
export class SupervisedChild {
  /** Resolves with the reason when the child cannot be kept alive. */
  readonly whenBroken: Promise<Error>;
  readonly #options: SupervisedChildOptions;
  #break: (error: Error) => void = () => {};
  #child: ChildProcess | undefined;
  #url = '';
  /** Aborted by `stop`. Every start has a new one, so that no earlier restart continues. */
  #stopping = new AbortController();
  #failedStarts = 0;
  #exits = 0;
  /** Why the child ended for good, as it reported. */
  #endReason: string | undefined;

  constructor(options: SupervisedChildOptions) {
    this.#options = options;
    this.whenBroken = new Promise((resolve) => {
      this.#break = resolve;
    });
  }

  /** Base URL of the child; changes after a restart. */
  get url(): string {
    return this.#url;
  }

  /** Resolves when the child is ready. @throws {EmbedmillError} `child-failed`, with the end of its log */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#endReason = undefined;
    if (!(await this.#launch())) throw await this.#failure('did not start');
  }

  /** Stops the child, and kills it after `graceMs`. It can be started again. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(killer);
  }

  /** Starts a process; true when it is ready, false when it exits before. */
  async #launch(): Promise<boolean> {
    const { signal } = this.#stopping;
    const { command, environment, logPath, onStart } = this.#options;
    const log = openSync(logPath, 'a');
    const child = spawn(process.execPath, [ENTRY.pathname, command], {
      detached: true,
      env: environment(),
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    if (child.pid !== undefined) onStart(child.pid);
    const startedAt = performance.now();
    const exited = once(child, 'exit');
    const ready = new Promise<true>((resolve) => {
      child.on('message', (message) => {
        const report = message as ChildReport;
        if (report.ready) {
          this.#url = report.url;
          resolve(true);
        } else this.#endReason = report.reason;
      });
    });
    const isReady = await Promise.race([ready, exited.then(() => false)]);
    if (isReady) {
      this.#failedStarts = 0;
      void exited.then(([code, killedBy]) =>
        this.#restart(code ?? killedBy, performance.now() - startedAt, signal),
      );
    }
    return isReady;
  }

  async #restart(status: number | string, uptimeMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { command, onNote } = this.#options;
    if (this.#endReason !== undefined) {
      this.#break(new EmbedmillError('child-failed', `the ${command} cannot continue: ${this.#endReason}`));
      return;
    }
    if (uptimeMs > HEALTHY_MS) this.#exits = 0;
    this.#exits += 1;
    if (this.#exits === 1) onNote(`The ${command} exited (${status}); restarting it. No data is lost.`);
    for (;;) {
      const attempt = this.#exits + this.#failedStarts - 1;
      const pauseMs = Math.min(MIN_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS);
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || (await this.#launch()) || signal.aborted) return;
      this.#failedStarts += 1;
      if (this.#failedStarts < MAX_FAILED_STARTS) continue;
      this.#break(await this.#failure(`could not be restarted in ${MAX_FAILED_STARTS} attempts`));
      return;
    }
  }

  async #failure(what: string): Promise<Error> {
    const { command, logPath } = this.#options;
    const tail = await logTail(logPath);
    return new EmbedmillError('child-failed', `the ${command} ${what}; the end of its log:\n${tail}`);
  }
}

/** The last lines of a log file, indented; log records become `level: message (reason)`. */
async function logTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  return lines.map((line) => `    ${describeRecord(line)}`).join('\n');
}

function describeRecord(line: string): string {
  try {
    const { level, msg, reason } = JSON.parse(line);
    return `${LOG_LEVELS[level] ?? 'log'}: ${msg}${reason === undefined ? '' : ` (${reason})`}`;
  } catch {
    return line;
  }
}
