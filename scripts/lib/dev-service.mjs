/** The processes that `npm run dev` restarts; used by dev.mjs. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from './root.mjs';

/**
 * Starts a Node script of the checkout in a process group of its own: a Ctrl-C in the terminal reaches only dev.mjs,
 * which stops its children in order.
 */
export function startScript(script, args, { stdout, env }) {
  return spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, ...env },
  });
}

/** One `embedmill up` at a time. */
export class DevService {
  #args;
  #env;
  #child;
  #isStopping = false;

  /** `args` of `embedmill up`, and variables besides those of this process. */
  constructor(args, env) {
    this.#args = args;
    this.#env = env;
  }

  start() {
    const child = startScript('apps/cli/dist/main.js', ['up', ...this.#args], {
      stdout: 'inherit',
      env: this.#env,
    });
    this.#child = child;
    child.on('close', (code, signal) => {
      this.#child = undefined;
      if (this.#isStopping) return;
      console.error(`embedmill up ended (${signal ?? `exit code ${code}`}); the next build starts it again.`);
    });
  }

  /** Stops it in order and waits until it has ended. */
  async stop() {
    if (this.#child === undefined) return;
    this.#isStopping = true;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await ended;
    this.#isStopping = false;
  }

  /** Ends it at once, if it is stopping: a second signal does that. */
  hurry() {
    if (this.#isStopping) this.#child?.kill('SIGINT');
  }
}
