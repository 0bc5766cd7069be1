/** All runs of one data folder: opened once by the producer, used by every request. */

import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  asError,
  CorruptError,
  EmbedmillError,
  quote,
  RequestError,
  type RunInfo,
  UnavailableError,
} from '@embedmill/contract';
import pLimit from 'p-limit';
import { ageSortedId, createdAtOf } from '../process/disk/age-sorted-id.ts';
import { removeLeftovers } from '../process/disk/remove-leftovers.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { faultOf } from '../process/faults.ts';
import { DamagedRun } from './damaged-run.ts';
import { assertUnused, expiryOf, retentionNow } from './retention.ts';
import { Run, type RunDeps } from './run.ts';
import { writeImport } from './run-archive.ts';
import { DRAFT_PREFIX, isUnfinishedRun, type NewRun } from './run-files.ts';

/** What can be shown of any run, including one with damaged files. */
export type ShownRun = Pick<Run, 'id' | 'state' | 'info'>;

/** Ids of runs, and names of their folders. */
export const RUN_ID = /^r[0-9a-z]{19}$/;

/** Prefix of folders that are being removed; after a crash, the next start finishes the removal. */
const REMOVED_PREFIX = '.removed-';

/** Faults that may concern the files of one run only; all others concern the whole disk or process. */
const FAULTS_OF_ONE_FILE = new Set(['EIO', 'EACCES', 'EPERM', 'EBUSY']);

/** How often runs are opened again whose files the disk refused, and finished runs are unloaded. */
const SWEEP_MS = 5000;

/** Time after its last use until a finished run is unloaded. */
const UNLOAD_IDLE_MS = 15_000;

/** Runs opened at the same time at start; more do not fit Node's pool of four threads. */
const OPEN_AT_ONCE = 8;

/** How often expired runs are looked for. */
const RETENTION_MS = 60_000;

/** What the runs work with. */
export interface RunsDeps extends RunDeps {
  /** Days for which finished runs are kept that state no time of their own. Default: until they are deleted. */
  keepRunsDays?: number | undefined;
}

/** How a run is removed. */
export interface RemoveOptions {
  /** Refuses a run that is active or being read. Default: false. */
  onlyUnused?: boolean;
}

/** How a run is imported. */
export interface ImportOptions {
  /** Gives the run a new id. Default: it keeps the one in the export. */
  asNew?: boolean;
  /** Throws for a description that the API cannot show. */
  validate?: (info: RunInfo) => void;
}

/** Each run has a folder `<dataDir>/runs/<id>/`. @see RunFiles for what is in it */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #runDeps: RunDeps;
  readonly #folder: string;
  readonly #runs = new Map<string, Run>();
  /** Runs that may be active; the others have ended and are unloaded. */
  readonly #loaded = new Set<Run>();
  /** All runs, newest first; `null` after a change. */
  #sorted: ShownRun[] | null = null;
  readonly #damaged = new Map<string, DamagedRun>();
  /** Runs that are removed, and whose files may still be on disk; the next start finishes that, too. */
  readonly #removing = new Set<string>();
  /** Removals in progress by id, which concurrent calls share. */
  readonly #removals = new Map<string, Promise<void>>();
  readonly #sweeping: NodeJS.Timeout;
  readonly #retaining: NodeJS.Timeout;
  /** Ids of runs that are being imported. */
  readonly #importing = new Set<string>();
  #isRemovingExpired = false;
  /** Runs by request key, including those that are being created. */
  readonly #byRequest = new Map<string, Promise<Run>>();
  readonly #removalListeners: ((id: string) => void)[] = [];

  private constructor(deps: RunsDeps, folder: string) {
    this.#deps = deps;
    this.#runDeps = {
      ...deps,
      expiresAtOf: (run) => expiryOf(run, deps.keepRunsDays),
      onLoad: (run) => this.#loaded.add(run),
    };
    this.#folder = folder;
    this.#sweeping = setInterval(() => {
      void this.#reopen();
      this.#unloadIdle(UNLOAD_IDLE_MS);
    }, SWEEP_MS);
    this.#sweeping.unref();
    this.#retaining = setInterval(() => void this.removeExpired(), RETENTION_MS);
    this.#retaining.unref();
  }

  /**
   * Opens every run in the data folder. A run with damaged files is listed as failed.
   * @throws a passing fault of the disk; the caller tries again
   */
  static async open(deps: RunsDeps, dataDir: string): Promise<Runs> {
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
      const turn = pLimit(OPEN_AT_ONCE);
      const ids = names.filter((name) => RUN_ID.test(name)).sort();
      await Promise.all(
        ids.map((id) =>
          turn(() => runs.#open(id)).catch((error) => {
            turn.clearQueue();
            throw error;
          }),
        ),
      );
    } catch (error) {
      await runs.close();
      throw error;
    }
    return runs;
  }

  /** Starts a run. */
  async create(newRun: Omit<NewRun, 'id'>): Promise<Run> {
    const id = `r${ageSortedId()}`;
    const run = await Run.create(this.#runDeps, join(this.#folder, id), { ...newRun, id });
    this.#add(run);
    return run;
  }

  #add(run: Run): void {
    this.#runs.set(run.id, run);
    this.#sorted = null;
    if (run.isLoaded) this.#loaded.add(run);
  }

  #unloadIdle(idleMs: number): void {
    for (const run of this.#loaded) if (run.unload(idleMs)) this.#loaded.delete(run);
  }

  /**
   * Starts a run, or returns the run with this request key: a client that does not know whether its request
   * succeeded sends it again. The key is stored with the run and removed with it.
   * @throws {RequestError} `key-reused` when the run of this key has other options
   */
  async createOnce(
    newRun: Omit<NewRun, 'id'> & { requestKey: string },
  ): Promise<{ run: Run; isNew: boolean }> {
    const { requestKey, options, keepDays } = newRun;
    // Registered before it is created, so that two simultaneous requests start one run.
    const known = this.#byRequest.get(requestKey);
    if (known === undefined) {
      const starting = this.create(newRun);
      this.#byRequest.set(requestKey, starting);
      starting.catch(() => this.#byRequest.delete(requestKey));
      return { run: await starting, isNew: true };
    }
    const run = await known;
    if (isDeepStrictEqual(run.options, options) && run.keepDays === keepDays) return { run, isNew: false };
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

  /** Calls the listener with the id of each run that is removed, so that caches can drop it. */
  onRemoved(listener: (id: string) => void): void {
    this.#removalListeners.push(listener);
  }

  /** Returns the run for display, damaged or not. @throws {RequestError} `unknown-run` */
  show(id: string): ShownRun {
    return this.#runs.get(id) ?? this.#damagedRun(id);
  }

  /** All runs, newest first. */
  list(): readonly ShownRun[] {
    this.#sorted ??= [...this.#runs.values(), ...this.#damaged.values()].sort((a, b) =>
      a.id < b.id ? 1 : -1,
    );
    return this.#sorted;
  }

  /** Runs that are open or sealed. */
  active(): Run[] {
    return [...this.#loaded].filter((run) => run.isActive);
  }

  /** Runs with keys in Redis: active runs, and those that ended while Redis was unreachable. */
  inRedis(): Run[] {
    return [...this.#loaded].filter((run) => run.isInRedis);
  }

  /**
   * Cancels the run if it is active and removes its files; a removal that failed half-way is continued.
   * @throws {RequestError} `unknown-run`; `run-not-finished` and `run-in-use` with `onlyUnused`
   * @throws the error of the file system; the run or a part of its files is then still on disk, and the call may be repeated
   * @throws a Redis fault when the run has keys in Redis and Redis is unreachable; the run is then kept
   */
  async remove(id: string, options: RemoveOptions = {}): Promise<void> {
    const removal =
      this.#removals.get(id) ?? this.#remove(id, options).finally(() => this.#removals.delete(id));
    this.#removals.set(id, removal);
    await removal;
  }

  async #remove(id: string, { onlyUnused = false }: RemoveOptions): Promise<void> {
    // Also before its keys are deleted from Redis.
    this.#deps.assertLeaseHeld();
    const doomed = join(this.#folder, `${REMOVED_PREFIX}${id}`);
    if (!this.#removing.has(id)) {
      const run = this.#runs.get(id);
      if (onlyUnused && run !== undefined) assertUnused(run);
      if (run === undefined) {
        await this.#deps.exchange.closeRun(this.#damagedRun(id).id, []);
      } else {
        await run.cancel();
        await run.deleteKeys();
        await run.close();
      }
      this.#deps.assertLeaseHeld();
      // A reader may have come in the meantime.
      if (onlyUnused && run !== undefined) assertUnused(run);
      // The rename is atomic: if the process dies now, the next start does not find half a run.
      await rename(join(this.#folder, id), doomed);
      this.#runs.delete(id);
      this.#sorted = null;
      if (run !== undefined) this.#loaded.delete(run);
      if (run?.requestKey !== undefined) this.#byRequest.delete(run.requestKey);
      this.#damaged.delete(id);
      this.#removing.add(id);
      for (const listener of this.#removalListeners) listener(id);
    }
    this.#deps.assertLeaseHeld();
    await rm(doomed, { recursive: true, force: true });
    this.#removing.delete(id);
  }

  /**
   * Imports an export of a run. Its rows and results are read once before the run appears, complete, by rename; after a
   * failure nothing is left, and after a crash a draft, which the next start removes.
   * @throws {RequestError} `run-exists`, `corrupt-export`
   * @throws {UnavailableError} `disk-full`
   * @throws the error of the source or of the file system
   */
  async import(source: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<Run> {
    const { asNew = false, validate = () => {} } = options;
    const deps = { assertWritable: this.#deps.assertLeaseHeld };
    const drafts: string[] = [];
    let importing: string | undefined;
    let sourceFault: unknown;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* source;
      } catch (error) {
        sourceFault = error;
        throw error;
      }
    }
    try {
      const { id, draft } = await writeImport(
        watched(),
        {
          idFor: (given) => {
            const wanted = asNew ? `r${ageSortedId()}` : given;
            this.#assertFree(wanted);
            importing = wanted;
            this.#importing.add(wanted);
            return wanted;
          },
          draftOf: (wanted) => {
            const folder = join(this.#folder, `${DRAFT_PREFIX}${wanted}`);
            drafts.push(folder);
            return folder;
          },
        },
        deps,
      );
      const read = await Run.open(this.#runDeps, draft);
      if (read.isActive) throw new CorruptError('corrupt-export', 'its run has not ended');
      await read.verify();
      validate(read.info());
      this.#deps.assertLeaseHeld();
      const folder = join(this.#folder, id);
      await rename(draft, folder);
      drafts.push(folder);
      await syncFolder(this.#folder);
      const run = await Run.open(this.#runDeps, folder);
      this.#add(run);
      return run;
    } catch (error) {
      await removeLeftovers(drafts, deps);
      throw error === sourceFault ? error : asImportError(error, drafts);
    } finally {
      if (importing !== undefined) this.#importing.delete(importing);
    }
  }

  #assertFree(id: string): void {
    if (!RUN_ID.test(id)) throw new CorruptError('corrupt-export', `${quote(id, 40)} is not the id of a run`);
    const isTaken = [this.#runs, this.#damaged, this.#removing, this.#importing].some((ids) => ids.has(id));
    if (!isTaken) return;
    throw new RequestError(
      'run-exists',
      `run ${id} exists; delete it first, or import the file as a new run`,
      {
        facts: { run: id },
      },
    );
  }

  /** Size of the files of all runs. */
  get bytes(): number {
    let bytes = 0;
    for (const run of this.list()) bytes += run.info().bytes;
    return bytes;
  }

  /**
   * Deletes the finished runs whose time is over, oldest first; called every minute. Runs that are being read are left to a
   * later call, as are all that are left after a fault.
   * @returns the ids of the deleted runs
   */
  async removeExpired(): Promise<string[]> {
    if (this.#isRemovingExpired) return [];
    this.#isRemovingExpired = true;
    const removed: string[] = [];
    let freedBytes = 0;
    try {
      this.#deps.assertLeaseHeld();
      const now = retentionNow();
      const expired = [...this.#runs.values()].filter((run) => {
        const at = expiryOf(run, this.#deps.keepRunsDays);
        return at !== null && Date.parse(at) <= now && !run.isHeld;
      });
      for (const run of expired.sort((a, b) => (a.id < b.id ? -1 : 1))) {
        const { bytes } = run.info();
        try {
          await this.remove(run.id, { onlyUnused: true });
          removed.push(run.id);
          freedBytes += bytes;
        } catch (error) {
          // The lease concerns all runs; a fault of one run does not keep the others.
          if (error instanceof UnavailableError) throw error;
          if (error instanceof RequestError) continue;
          this.#deps.log.warn(
            { run: run.id, reason: asError(error).message },
            'an expired run could not be deleted',
          );
        }
      }
    } catch (error) {
      this.#deps.log.warn({ reason: asError(error).message }, 'expired runs could not be deleted now');
    } finally {
      this.#isRemovingExpired = false;
    }
    if (removed.length > 0)
      this.#deps.log.info({ runs: removed.length, freedBytes }, 'expired runs are deleted');
    return removed;
  }

  /** Closes the files of all runs, and returns the credit that the runs hold. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    clearInterval(this.#retaining);
    await Promise.all([...this.#loaded].map((run) => run.close()));
    this.#runs.clear();
    this.#loaded.clear();
    this.#sorted = null;
  }

  async #open(id: string): Promise<void> {
    const folder = join(this.#folder, id);
    try {
      const run = await Run.open(this.#runDeps, folder);
      // Nothing has used it yet.
      run.unload(0);
      this.#add(run);
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
      this.#sorted = null;
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

/**
 * Damage in an export is a fault of the request; faults of the disk keep their codes.
 * @param drafts folders that the message must not name
 */
function asImportError(error: unknown, drafts: readonly string[]): unknown {
  const isOfRequest = error instanceof EmbedmillError && !(error instanceof CorruptError);
  if (isOfRequest || (error as NodeJS.ErrnoException).code?.startsWith('E') === true) return error;
  // Records with other fields than expected fail anywhere.
  let reason = error instanceof EmbedmillError ? error.message : 'its records are not those of a run';
  for (const draft of drafts) reason = reason.replaceAll(`${draft}/`, '').replaceAll(draft, 'the run');
  return new RequestError('corrupt-export', `the file is not a whole export of a run: ${reason}`, {
    cause: error,
  });
}
