/** A lock file that keeps two commands from writing the same output. */

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillError } from '@embedmill/contract';
import { createExclusive, isRunning, markOf, type ProcessMark } from '@embedmill/core/process';

/** Contents of the lock file: the owner and the processes it started. */
interface LockFile {
  owner: ProcessMark;
  children: ProcessMark[];
}

/** Time for the children of a killed command to stop by themselves before they are killed. */
const ORPHAN_TIMEOUT_MS = 3_000;
/** Maximum time in which a running command writes its lock file. */
const MAX_WRITE_MS = 2_000;
/** Maximum wait for a process that survives SIGKILL or that we may not signal. */
const MAX_WAIT_MS = 20_000;

/** Held from `take` to `release`. */
export class OutputLock {
  readonly #path: string;
  #file: LockFile = { owner: markOf(process.pid), children: [] };

  private constructor(folder: string) {
    this.#path = join(folder, 'lock.json');
  }

  /**
   * Takes the lock of a folder. If its owner is dead, waits for the processes that the owner started.
   * @throws {EmbedmillError} `output-in-use`
   */
  static async take(folder: string, outputPath: string): Promise<OutputLock> {
    const lock = new OutputLock(folder);
    const startedAt = performance.now();
    let unreadableSince: number | null = null;
    while (!(await createExclusive(lock.#path, lock.#text()))) {
      const other = lock.#read();
      if (other === null) {
        // Without hard links, a command that was killed while it wrote the file leaves it incomplete.
        unreadableSince ??= performance.now();
        if (performance.now() - unreadableSince > MAX_WRITE_MS) rmSync(lock.#path, { force: true });
        else await sleep(20);
        continue;
      }
      unreadableSince = null;
      if (isRunning(other.owner)) throw inUse(outputPath, other.owner.pid, 'by another embedmill');
      const orphans = other.children.filter(isRunning);
      if (orphans.length === 0) rmSync(lock.#path, { force: true });
      else await lock.#waitForOrphans(orphans, performance.now() - startedAt, outputPath);
    }
    return lock;
  }

  /** Records a process that we started, so that no later command takes the folder while it runs. */
  addChild(pid: number): void {
    this.#file.children = [...this.#file.children.filter(isRunning), markOf(pid)];
    const draft = `${this.#path}.${randomBytes(6).toString('hex')}`;
    writeFileSync(draft, this.#text(), { mode: 0o600 });
    renameSync(draft, this.#path);
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }

  /** Waits for orphans, then kills them. This is safe, because they can be interrupted at any point. */
  async #waitForOrphans(
    orphans: readonly ProcessMark[],
    waitedMs: number,
    outputPath: string,
  ): Promise<void> {
    if (waitedMs > MAX_WAIT_MS) {
      throw inUse(outputPath, orphans[0]?.pid ?? 0, 'by a process left over from an earlier command');
    }
    // Without a start time the id may belong to another process by now.
    const known = orphans.filter(({ startTicks }) => startTicks !== null);
    if (waitedMs > ORPHAN_TIMEOUT_MS) for (const { pid } of known) process.kill(pid, 'SIGKILL');
    await sleep(100);
  }

  #text(): string {
    return `${JSON.stringify(this.#file)}\n`;
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
