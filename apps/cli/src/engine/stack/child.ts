/** One of our own processes, kept alive: started, started again when it dies, stopped with us; the stack has two. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import { logTail } from './log-tail.ts';

/** How to run a child. */
export interface SupervisedChildOptions {
  /** The command of the CLI that is the child: also its name in messages. */
  command: 'producer' | 'worker';
  /** Asked at every start. */
  environment: () => Environment;
  /** File that gets what the child writes. */
  logPath: string;
  /** Receives one line when the child died and is started again. */
  onNote: (line: string) => void;
  /** Receives the id of every process that is started. */
  onStart: (pid: number) => void;
}

/** The entry of this very command, beside this file's folder. */
const ENTRY = new URL('../../main.js', import.meta.url);

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;
/** A child that lived so long was healthy: its death is a new story, told again and with the short pause. */
const HEALTHY_MS = 30_000;
/** Starts in a row that may end before the child was ready. */
const MAX_FAILED_STARTS = 5;

/**
 * The child has a session of its own, so that a Ctrl-C in the terminal reaches us alone and we decide the order of the
 * end. It stops when its channel to us closes, which the kernel does for us if we are killed.
 */
export class SupervisedChild {
  /** Settles with the reason when the child cannot be kept alive. */
  readonly whenBroken: Promise<Error>;
  readonly #options: SupervisedChildOptions;
  #break: (error: Error) => void = () => {};
  #child: ChildProcess | undefined;
  #url = '';
  /** Aborted by `stop`; every start has a new one, so that nothing of the life before goes on. */
  #stopping = new AbortController();
  #failedStarts = 0;
  #deaths = 0;

  constructor(options: SupervisedChildOptions) {
    this.#options = options;
    this.whenBroken = new Promise((resolve) => {
      this.#break = resolve;
    });
  }

  /** Where the child listens; after a restart another place. */
  get url(): string {
    return this.#url;
  }

  /** Starts the child and resolves when it is ready. @throws when its first start fails, with the end of its log */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    if (!(await this.#launch())) throw await this.#failure('did not start');
  }

  /** Closes the channel, and kills the child when it takes longer than `graceMs`. It can be started again. */
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

  /** Starts a process; true when it said that it is ready, false when it ended first. */
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
    const isReady = await Promise.race([
      once(child, 'message').then(([message]) => {
        this.#url = (message as { url: string }).url;
        return true;
      }),
      exited.then(() => false),
    ]);
    if (isReady) {
      this.#failedStarts = 0;
      void exited.then(([code, killedBy]) =>
        this.#revive(code ?? killedBy, performance.now() - startedAt, signal),
      );
    }
    return isReady;
  }

  async #revive(status: number | string, livedMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { command, onNote } = this.#options;
    if (livedMs > HEALTHY_MS) this.#deaths = 0;
    this.#deaths += 1;
    if (this.#deaths === 1) onNote(`The ${command} ended (${status}) and is started again; nothing is lost.`);
    for (;;) {
      const tries = this.#deaths + this.#failedStarts - 1;
      await sleep(Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS), undefined, { signal }).catch(
        () => {},
      );
      if (signal.aborted || (await this.#launch()) || signal.aborted) return;
      this.#failedStarts += 1;
      if (this.#failedStarts < MAX_FAILED_STARTS) continue;
      this.#break(await this.#failure(`could not be started again after ${MAX_FAILED_STARTS} attempts`));
      return;
    }
  }

  async #failure(what: string): Promise<Error> {
    const { command, logPath } = this.#options;
    const tail = await logTail(logPath);
    return new EmbedmillError('child-failed', `the ${command} ${what}; the end of its log:\n${tail}`);
  }
}
