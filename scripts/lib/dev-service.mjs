/** The processes that `npm run dev` restarts. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from './root.mjs';

/**
 * Starts a Node script of the checkout in its own process group, so that a Ctrl-C in the terminal reaches
 * only dev.mjs, which shuts its children down in order.
 */
export function startScript(script, args, { stdout, env }) {
  return spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, ...env },
  });
}

/** Runs one `embedmill up` at a time. */
export class DevService {
  #args;
  #env;
  #child;
  #isStopping = false;

  /** `args` of `embedmill up`, and environment variables in addition to those of this process. */
  constructor(args, env) {
    this.#args = args;
    this.#env = env;
  }

  /** Starts the process; an unexpected exit is reported. */
  start() {
    const child = startScript('apps/cli/dist/main.js', ['up', ...this.#args], {
      stdout: 'inherit',
      env: this.#env,
    });
    this.#child = child;
    child.on('close', (code, signal) => {
      this.#child = undefined;
      if (this.#isStopping) return;
      console.error(
        `embedmill up exited (${signal ?? `exit code ${code}`}); the next successful build restarts it.`,
      );
    });
  }

  /** Shuts the process down and resolves when it has exited. */
  async stop() {
    if (this.#child === undefined) return;
    this.#isStopping = true;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await ended;
    this.#isStopping = false;
  }

  /** Stops the process immediately if it is shutting down, with a second signal. */
  stopNow() {
    if (this.#isStopping) this.#child?.kill('SIGINT');
  }
}
