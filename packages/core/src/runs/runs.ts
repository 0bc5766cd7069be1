/** All runs of one data folder; the producer opens it once and asks it for every request. */

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, EmbedmillError, RequestError } from '../errors.ts';
import { Run, type RunParts } from './run.ts';
import type { RunOptions } from './types.ts';

const ID = /^r[0-9a-z]{19}$/;

/** Starts the names of folders whose removal has begun; one that a crash left is finished at the next start. */
const REMOVED = '.removed-';

/** Runs live in `<dataDir>/runs/<id>/`: `ledger.journal`, `rows.jsonl`, `shards/`. */
export class Runs {
  readonly #parts: RunParts;
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();

  private constructor(parts: RunParts, folder: string) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** Opens every run in the data folder. A run whose files are damaged is left out and logged; the others are not hurt. */
  static async open(parts: RunParts, dataDir: string): Promise<Runs> {
    const folder = join(dataDir, 'runs');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const runs = new Runs(parts, folder);
    const names = await readdir(folder);
    for (const name of names.filter((name) => name.startsWith(REMOVED))) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
    for (const id of names.filter((name) => ID.test(name)).sort()) {
      try {
        runs.#runs.set(id, await Run.open(parts, join(folder, id)));
      } catch (error) {
        if (error instanceof EmbedmillError && error.code === 'no-ledger')
          await rm(join(folder, id), { recursive: true });
        else
          parts.log.error(
            { run: id, reason: asError(error).message },
            'a run cannot be opened and is left out',
          );
      }
    }
    return runs;
  }

  /** Starts a run. */
  async create(options: RunOptions): Promise<Run> {
    const id = newRunId();
    const run = await Run.create(this.#parts, join(this.#folder, id), id, options);
    this.#runs.set(id, run);
    return run;
  }

  /** @throws {RequestError} `unknown-run` */
  get(id: string): Run {
    const run = this.#runs.get(id);
    if (run === undefined)
      throw new RequestError('unknown-run', `there is no run ${JSON.stringify(id.slice(0, 40))}`);
    return run;
  }

  /** The run, or nothing; for results that outlived theirs. */
  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** All runs, newest first. */
  list(): Run[] {
    return [...this.#runs.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Runs that are open or sealed. */
  active(): Run[] {
    return [...this.#runs.values()].filter((run) => run.isActive);
  }

  /** Cancels a run if it is at work and removes its files. @throws {RequestError} `unknown-run` */
  async remove(id: string): Promise<void> {
    const run = this.get(id);
    this.#parts.mustHold();
    await run.cancel();
    await run.close();
    this.#runs.delete(id);
    // A rename is one step: whatever dies now, the run is gone and no half of it is found at the next start.
    const doomed = join(this.#folder, `${REMOVED}${id}`);
    await rename(join(this.#folder, id), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.close()));
    this.#runs.clear();
  }
}

/** `r`, 9 characters of time and 10 of chance, in base 36: sorts by age and fits job ids, keys and file names. */
function newRunId(): string {
  const time = Date.now().toString(36).padStart(9, '0');
  const chance = [...randomBytes(10)].map((byte) => (byte % 36).toString(36)).join('');
  return `r${time}${chance}`;
}
