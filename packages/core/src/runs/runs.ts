/** All runs of one data folder; the producer opens it once and asks it for every request. */

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ageSortedId, createdAtOf } from '../disk/age-sorted-id.ts';
import { syncFolder } from '../disk/sync-folder.ts';
import { asError, CorruptError, EmbedmillError, RequestError } from '../errors.ts';
import { Run, type RunParts } from './run.ts';
import type { RunOptions } from './types.ts';
import { Wreck } from './wreck.ts';

/** What can be shown of any run, of one whose files are damaged too. */
export type ShownRun = Pick<Run, 'id' | 'state' | 'info'>;

const ID = /^r[0-9a-z]{19}$/;

/** Starts the names of folders whose removal has begun; one that a crash left is finished at the next start. */
const REMOVED = '.removed-';

/** Runs live in `<dataDir>/runs/<id>/`: `ledger.journal`, `rows.jsonl`, `shards/`. */
export class Runs {
  readonly #parts: RunParts;
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();
  readonly #wrecks = new Map<string, Wreck>();
  /** Runs whose creator gave a key, also while they are created. */
  readonly #byRequest = new Map<string, Promise<Run>>();

  private constructor(parts: RunParts, folder: string) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** Opens every run in the data folder. A run whose files are damaged is shown as failed; the others are not hurt. */
  static async open(parts: RunParts, dataDir: string): Promise<Runs> {
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
    const run = await Run.create(this.#parts, join(this.#folder, id), { id, options, requestKey, glossary });
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
    const { reason } = this.#wreck(id);
    throw new CorruptError('corrupt-run', `run ${id} cannot be opened: ${reason}`);
  }

  /** The run, or nothing; for results that outlived theirs. */
  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The run as it is shown. @throws {RequestError} `unknown-run` */
  show(id: string): ShownRun {
    return this.#runs.get(id) ?? this.#wreck(id);
  }

  /** All runs, newest first. */
  list(): ShownRun[] {
    return [...this.#runs.values(), ...this.#wrecks.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
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
    this.#parts.mustHold();
    if (run === undefined) {
      await this.#parts.exchange.closeRun(this.#wreck(id).id, []);
    } else {
      await run.cancel();
      await run.forget();
      await run.close();
    }
    this.#runs.delete(id);
    if (run?.requestKey !== undefined) this.#byRequest.delete(run.requestKey);
    this.#wrecks.delete(id);
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
      const run = await Run.open(this.#parts, folder);
      this.#runs.set(id, run);
      if (run.requestKey !== undefined) this.#byRequest.set(run.requestKey, Promise.resolve(run));
    } catch (error) {
      if (error instanceof EmbedmillError && error.code === 'no-ledger') {
        await rm(folder, { recursive: true });
        return;
      }
      const reason = asError(error).message;
      this.#parts.log.error({ run: id, reason }, 'a run cannot be opened; it is shown as failed');
      this.#wrecks.set(id, await Wreck.survey(folder, id, createdAtOf(id.slice(1)), reason));
    }
  }

  #wreck(id: string): Wreck {
    const wreck = this.#wrecks.get(id);
    if (wreck !== undefined) return wreck;
    throw new RequestError('unknown-run', `there is no run ${JSON.stringify(id.slice(0, 40))}`);
  }
}
