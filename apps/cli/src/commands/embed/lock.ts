/** Keeps two commands from working on one output; taken before anything else in the work folder. */

import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';
import { isRunning, markOf, type ProcessMark } from '../../engine/stack/process-mark.ts';

/** What the file says: who holds the folder, and whom it started. */
interface LockFile {
  owner: ProcessMark;
  children: ProcessMark[];
}

/** Children of a killed command stop by themselves; this is how long they may take before they are killed. */
const ORPHANS_MS = 3_000;
/** After this we give up on a process that does not even end when it is killed, or that we may not kill. */
const GIVE_UP_MS = 20_000;

/** Held from `take` to `release`. */
export class Lock {
  readonly #path: string;
  #file: LockFile = { owner: markOf(process.pid), children: [] };

  private constructor(folder: string) {
    this.#path = join(folder, 'lock.json');
  }

  /**
   * Takes the lock of a folder. A lock whose owner is dead is taken over as soon as the processes it had started are gone.
   * @throws {EmbedmillError} `output-in-use`
   */
  static async take(folder: string, outputPath: string): Promise<Lock> {
    const lock = new Lock(folder);
    const startedAt = performance.now();
    while (!lock.#create()) {
      const other = lock.#read();
      if (other === null) continue;
      if (isRunning(other.owner)) throw inUse(outputPath, other.owner.pid, 'by another embedmill');
      const orphans = other.children.filter(isRunning);
      if (orphans.length === 0) rmSync(lock.#path, { force: true });
      else await lock.#outwait(orphans, performance.now() - startedAt, outputPath);
    }
    return lock;
  }

  /** Adds a process that we started, so that nobody takes the folder before it is gone. */
  addChild(pid: number): void {
    this.#file.children = [...this.#file.children.filter(isRunning), markOf(pid)];
    const draft = this.#draft();
    renameSync(draft, this.#path);
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }

  /** Lets orphans finish, then kills them: what they do is safe at every moment, and nobody else waits for it. */
  async #outwait(orphans: readonly ProcessMark[], waitedMs: number, outputPath: string): Promise<void> {
    if (waitedMs > GIVE_UP_MS) {
      throw inUse(outputPath, orphans[0]?.pid ?? 0, 'by a process that an earlier call left behind');
    }
    // Without a start time the id may be somebody else's by now.
    const known = orphans.filter(({ startTicks }) => startTicks !== null);
    if (waitedMs > ORPHANS_MS) for (const { pid } of known) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }

  /** Creates the file with all its content at once; false if there is one. */
  #create(): boolean {
    const draft = this.#draft();
    try {
      linkSync(draft, this.#path);
      return true;
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw thrown;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #draft(): string {
    const draft = `${this.#path}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, `${JSON.stringify(this.#file)}\n`, { mode: 0o600 });
    return draft;
  }

  #read(): LockFile | null {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8'));
    } catch {
      return null;
    }
  }
}

function inUse(outputPath: string, pid: number, by: string): EmbedmillError {
  return new EmbedmillError(
    'output-in-use',
    `${outputPath} is being written ${by} (process ${pid}); wait for it, or stop it first`,
    { facts: { pid } },
  );
}
