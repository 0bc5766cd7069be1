/** All runs of one data folder; the producer opens it once and asks it for every request. */

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { asError, CorruptError, EmbedmillError, RequestError, type RunOptions } from '@embedmill/contract';
import { ageSortedId, createdAtOf } from '../process/disk/age-sorted-id.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { DamagedRun } from './damaged-run.ts';
import { Run, type RunDeps } from './run.ts';

/** What can be shown of any run, of one whose files are damaged too. */
export type ShownRun = Pick<Run, 'id' | 'state' | 'info'>;

const ID = /^r[0-9a-z]{19}$/;

/** Starts the names of folders whose removal has begun; one that a crash left is finished at the next start. */
const REMOVED = '.removed-';

/** Runs live in `<dataDir>/runs/<id>/`: `ledger.journal`, `rows.jsonl`, `shards/`. */
export class Runs {
  readonly #deps: RunDeps;
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();
  readonly #damaged = new Map<string, DamagedRun>();
  /** Runs whose creator gave a key, also while they are created. */
  readonly #byRequest = new Map<string, Promise<Run>>();

  private constructor(parts: RunDeps, folder: string) {
    this.#deps = parts;
    this.#folder = folder;
  }

  /** Opens every run in the data folder. A run whose files are damaged is shown as failed; the others are not hurt. */
  static async open(parts: RunDeps, dataDir: string): Promise<Runs> {
    const folder = join(dataDir, 'runs');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dataDir);
    const runs = new Runs(parts, folder);
    const names = await readdir(folder);
    for (const name of names.filter((name) => name.startsWith(REMOVED))) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
    for (const id of names.filter((name) => ID.test(name)).sort()) await runs.#open(id);
    return runs;
  }

  /** Starts a run. */
  async create(options: RunOptions, requestKey?: string, glossary?: Uint8Array): Promise<Run> {
    const id = `r${ageSortedId()}`;
    const run = await Run.create(this.#deps, join(this.#folder, id), { id, options, requestKey, glossary });
    this.#runs.set(id, run);
    return run;
  }

  /**
   * Starts a run, or finds the one that was started under this key: who does not know whether a request went through asks again.
   * The key is kept with the run and ends with it.
   * @throws {RequestError} `key-reused` when the run of this key has other options
   */
  async createOnce(
    requestKey: string,
    options: RunOptions,
    glossary?: Uint8Array,
  ): Promise<{ run: Run; isNew: boolean }> {
    // Also while it is being created, so that two requests at once start one run.
    const known = this.#byRequest.get(requestKey);
    if (known === undefined) {
      const starting = this.create(options, requestKey, glossary);
      this.#byRequest.set(requestKey, starting);
      starting.catch(() => this.#byRequest.delete(requestKey));
      return { run: await starting, isNew: true };
    }
    const run = await known;
    if (isDeepStrictEqual(run.options, options)) return { run, isNew: false };
    throw new RequestError('key-reused', `run ${run.id} was started under this key with other options`, {
      facts: { run: run.id },
    });
  }

  /**
   * @throws {RequestError} `unknown-run`
   * @throws {CorruptError} `corrupt-run` for one that can only be shown and removed
   */
  get(id: string): Run {
    const run = this.#runs.get(id);
    if (run !== undefined) return run;
    const { reason } = this.#damagedRun(id);
    throw new CorruptError('corrupt-run', `run ${id} cannot be opened: ${reason}`);
  }

  /** The run, or nothing; for results that outlived theirs. */
  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The run as it is shown. @throws {RequestError} `unknown-run` */
  show(id: string): ShownRun {
    return this.#runs.get(id) ?? this.#damagedRun(id);
  }

  /** All runs, newest first. */
  list(): ShownRun[] {
    return [...this.#runs.values(), ...this.#damaged.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Runs that are open or sealed. */
  active(): Run[] {
    return [...this.#runs.values()].filter((run) => run.isActive);
  }

  /** Runs that Redis may hold something of: those at work, and those that ended while it was away. */
  inRedis(): Run[] {
    return [...this.#runs.values()].filter((run) => run.isInRedis);
  }

  /**
   * Cancels a run if it is at work and removes its files.
   * @throws {RequestError} `unknown-run`
   * @throws a Redis fault when Redis still holds something of the run and is away; the run then stays
   */
  async remove(id: string): Promise<void> {
    const run = this.#runs.get(id);
    this.#deps.assertLeaseHeld();
    if (run === undefined) {
      await this.#deps.exchange.closeRun(this.#damagedRun(id).id, []);
    } else {
      await run.cancel();
      await run.forget();
      await run.close();
    }
    this.#runs.delete(id);
    if (run?.requestKey !== undefined) this.#byRequest.delete(run.requestKey);
    this.#damaged.delete(id);
    // A rename is one step: whatever dies now, the run is gone and no half of it is found at the next start.
    const doomed = join(this.#folder, `${REMOVED}${id}`);
    await rename(join(this.#folder, id), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.close()));
    this.#runs.clear();
  }

  async #open(id: string): Promise<void> {
    const folder = join(this.#folder, id);
    try {
      const run = await Run.open(this.#deps, folder);
      this.#runs.set(id, run);
      if (run.requestKey !== undefined) this.#byRequest.set(run.requestKey, Promise.resolve(run));
    } catch (error) {
      if (error instanceof EmbedmillError && error.code === 'no-ledger') {
        await rm(folder, { recursive: true });
        return;
      }
      const reason = asError(error).message;
      this.#deps.log.error({ run: id, reason }, 'a run cannot be opened; it is shown as failed');
      this.#damaged.set(id, await DamagedRun.survey(folder, id, createdAtOf(id.slice(1)), reason));
    }
  }

  #damagedRun(id: string): DamagedRun {
    const damaged = this.#damaged.get(id);
    if (damaged !== undefined) return damaged;
    throw new RequestError('unknown-run', `there is no run ${JSON.stringify(id.slice(0, 40))}`);
  }
}
