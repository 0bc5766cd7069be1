/** All runs of one data folder: opened once by the producer, used by every request. */

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CorruptError, quote, RequestError, UnavailableError } from '@embedmill/contract';
import { ageSortedId, createdAtOf } from '../process/disk/age-sorted-id.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { faultOf } from '../process/faults.ts';
import { DamagedRun } from './damaged-run.ts';
import { Run, type RunDeps } from './run.ts';
import { DRAFT_PREFIX, isUnfinishedRun, type NewRun } from './run-files.ts';

/** What can be shown of any run, including one with damaged files. */
export type ShownRun = Pick<Run, 'id' | 'state' | 'info'>;

/** Ids of runs, and names of their folders. */
export const RUN_ID = /^r[0-9a-z]{19}$/;

/** Prefix of folders that are being removed; after a crash, the next start finishes the removal. */
const REMOVED_PREFIX = '.removed-';

/** Faults that may concern the files of one run only; all others concern the whole disk or process. */
const FAULTS_OF_ONE_FILE = new Set(['EIO', 'EACCES', 'EPERM', 'EBUSY']);

/** How often runs are opened again whose files the disk refused. */
const REOPEN_MS = 5000;

/** Each run has a folder `<dataDir>/runs/<id>/`. @see RunFiles for what is in it */
export class Runs {
  readonly #deps: RunDeps;
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();
  readonly #damaged = new Map<string, DamagedRun>();
  /** Runs that are removed, and whose files may still be on disk; the next start finishes that, too. */
  readonly #removing = new Set<string>();
  /** Removals in progress by id, which concurrent calls share. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #reopening: NodeJS.Timeout;
  /** Runs by request key, including those that are being created. */
  readonly #byRequest = new Map<string, Promise<Run>>();

  private constructor(deps: RunDeps, folder: string) {
    this.#deps = deps;
    this.#folder = folder;
    this.#reopening = setInterval(() => void this.#reopen(), REOPEN_MS);
    this.#reopening.unref();
  }

  /**
   * Opens every run in the data folder. A run with damaged files is listed as failed.
   * @throws a passing fault of the disk; the caller tries again
   */
  static async open(deps: RunDeps, dataDir: string): Promise<Runs> {
    const folder = join(dataDir, 'runs');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dataDir);
    const runs = new Runs(deps, folder);
    const names = await readdir(folder);
    const leftovers = names.filter(
      (name) => name.startsWith(REMOVED_PREFIX) || name.startsWith(DRAFT_PREFIX),
    );
    for (const name of leftovers) {
      deps.assertLeaseHeld();
      await rm(join(folder, name), { recursive: true, force: true });
    }
    try {
      for (const id of names.filter((name) => RUN_ID.test(name)).sort()) await runs.#open(id);
    } catch (error) {
      await runs.close();
      throw error;
    }
    return runs;
  }

  /** Starts a run. */
  async create(newRun: Omit<NewRun, 'id'>): Promise<Run> {
    const id = `r${ageSortedId()}`;
    const run = await Run.create(this.#deps, join(this.#folder, id), { ...newRun, id });
    this.#runs.set(id, run);
    return run;
  }

  /**
   * Starts a run, or returns the run with this request key: a client that does not know whether its request
   * succeeded sends it again. The key is stored with the run and removed with it.
   * @throws {RequestError} `key-reused` when the run of this key has other options
   */
  async createOnce(
    newRun: Omit<NewRun, 'id'> & { requestKey: string },
  ): Promise<{ run: Run; isNew: boolean }> {
    const { requestKey, options } = newRun;
    // Registered before it is created, so that two simultaneous requests start one run.
    const known = this.#byRequest.get(requestKey);
    if (known === undefined) {
      const starting = this.create(newRun);
      this.#byRequest.set(requestKey, starting);
      starting.catch(() => this.#byRequest.delete(requestKey));
      return { run: await starting, isNew: true };
    }
    const run = await known;
    if (isDeepStrictEqual(run.options, options)) return { run, isNew: false };
    throw new RequestError('key-reused', `run ${run.id} was created with this key and other options`, {
      facts: { run: run.id },
    });
  }

  /**
   * Returns the run.
   * @throws {RequestError} `unknown-run`
   * @throws {UnavailableError} `disk-unavailable` for a run whose files the disk refuses now
   * @throws {CorruptError} `corrupt-run` for a damaged run, which can only be shown and removed
   */
  get(id: string): Run {
    const run = this.#runs.get(id);
    if (run !== undefined) return run;
    const { reason, isPassing } = this.#damagedRun(id);
    if (isPassing) throw new UnavailableError('disk-unavailable', `run ${id} cannot be opened now`);
    throw new CorruptError('corrupt-run', `run ${id} cannot be opened: ${reason}`);
  }

  /** Returns the run, or undefined; for results of a run that may have been removed. */
  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /**
   * True if the results of this run can be deleted from Redis because no folder of the run exists.
   * @throws {UnavailableError} if this producer may no longer own the data folder, so that the run may be one of its successor
   */
  isGone(id: string): boolean {
    this.#deps.assertLeaseHeld();
    return !this.#runs.has(id) && !this.#damaged.has(id);
  }

  /** Whether the run is removed or being removed, so that its files may vanish under a reader. */
  isRemoved(id: string): boolean {
    return this.#removals.has(id) || (!this.#runs.has(id) && !this.#damaged.has(id));
  }

  /** Returns the run for display, damaged or not. @throws {RequestError} `unknown-run` */
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

  /** Runs with keys in Redis: active runs, and those that ended while Redis was unreachable. */
  inRedis(): Run[] {
    return [...this.#runs.values()].filter((run) => run.isInRedis);
  }

  /**
   * Cancels the run if it is active and removes its files; a removal that failed half-way is continued.
   * @throws {RequestError} `unknown-run`
   * @throws the error of the file system; the run or a part of its files is then still on disk, and the call may be repeated
   * @throws a Redis fault when the run has keys in Redis and Redis is unreachable; the run is then kept
   */
  async remove(id: string): Promise<void> {
    const removal = this.#removals.get(id) ?? this.#remove(id).finally(() => this.#removals.delete(id));
    this.#removals.set(id, removal);
    await removal;
  }

  async #remove(id: string): Promise<void> {
    // Also before its keys are deleted from Redis.
    this.#deps.assertLeaseHeld();
    const doomed = join(this.#folder, `${REMOVED_PREFIX}${id}`);
    if (!this.#removing.has(id)) {
      const run = this.#runs.get(id);
      if (run === undefined) {
        await this.#deps.exchange.closeRun(this.#damagedRun(id).id, []);
      } else {
        await run.cancel();
        await run.deleteKeys();
        await run.close();
      }
      this.#deps.assertLeaseHeld();
      // The rename is atomic: if the process dies now, the next start does not find half a run.
      await rename(join(this.#folder, id), doomed);
      this.#runs.delete(id);
      if (run?.requestKey !== undefined) this.#byRequest.delete(run.requestKey);
      this.#damaged.delete(id);
      this.#removing.add(id);
    }
    this.#deps.assertLeaseHeld();
    await rm(doomed, { recursive: true, force: true });
    this.#removing.delete(id);
  }

  /** Closes the files of all runs, and returns the credit that the runs hold. */
  async close(): Promise<void> {
    clearInterval(this.#reopening);
    await Promise.all([...this.#runs.values()].map((run) => run.close()));
    this.#runs.clear();
  }

  async #open(id: string): Promise<void> {
    const folder = join(this.#folder, id);
    try {
      const run = await Run.open(this.#deps, folder);
      this.#runs.set(id, run);
      this.#damaged.delete(id);
      if (run.requestKey !== undefined) this.#byRequest.set(run.requestKey, Promise.resolve(run));
    } catch (error) {
      const { duration, kind } = faultOf(error);
      const isPassing = duration === 'passing';
      if (isPassing && !FAULTS_OF_ONE_FILE.has(kind)) throw error;
      if (!isPassing && (await isUnfinishedRun(folder).catch(() => false))) {
        this.#deps.log.info({ run: id }, 'a run whose creation was interrupted is removed');
        this.#deps.assertLeaseHeld();
        await rm(folder, { recursive: true });
        return;
      }
      const damaged = await DamagedRun.survey(folder, id, createdAtOf(id.slice(1)), error);
      if (damaged.reason !== this.#damaged.get(id)?.reason) {
        const { reason, state } = damaged;
        this.#deps.log.error(
          { run: id, reason, state },
          'a run cannot be opened; its files are left as they are',
        );
      }
      this.#damaged.set(id, damaged);
    }
  }

  /** Opens the runs whose files the disk refused before. */
  async #reopen(): Promise<void> {
    for (const { id, isPassing } of [...this.#damaged.values()]) {
      // Any other fault concerns all runs, which report it when they are used.
      if (isPassing) await this.#open(id).catch(() => {});
    }
  }

  #damagedRun(id: string): DamagedRun {
    const damaged = this.#damaged.get(id);
    if (damaged !== undefined) return damaged;
    throw new RequestError('unknown-run', `there is no run ${quote(id, 40)}`);
  }
}
