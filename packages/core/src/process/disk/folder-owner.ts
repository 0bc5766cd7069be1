/**
 * The owner of a data folder, stated in the folder itself, so that two producers never write to it, whichever Redis each uses.
 *
 * Files: `owner-<epoch>.json`. The highest epoch is the owner. A process becomes owner by creating the next epoch with O_EXCL, which
 * exactly one process can do; the file of the previous epoch is removed afterwards. The owner renews the modification time of its file
 * every `RENEW_MS`, marks the file as released when it stops, and checks before each write that its epoch is still the last
 * one (`assertOwned`). A process that was suspended, cut off or taken over therefore stops writing at its next write, whatever its
 * clock and its Redis say.
 *
 * When is a previous owner gone?
 * - It released the folder: at once.
 * - It ran in the same process space (same boot, same PID namespace): if that process no longer runs, or if it owns another folder
 *   of which this one is a copy, at once.
 * - It ran there, still runs, and has lost its Redis lease to the claimant (same Redis, same key): it may be frozen. And
 *   otherwise (another machine or container): if its file was not renewed for `STALE_MS`, measured by our monotonic clock.
 * In all other cases the claim is refused, and the error names the owner.
 */

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@embedmill/contract';
import { shownRedisUrl } from '../config/redis-url.ts';
import { isRunning, markOf, type ProcessMark, processSpace } from '../lifecycle/process-mark.ts';
import { syncFolder } from './sync-folder.ts';

/** How often the owner renews the modification time of its file. */
const RENEW_MS = 2000;

/** Time without a renewal after which an owner in another process space counts as gone: five renewals. */
const STALE_MS = 5 * RENEW_MS;

/** How often a claim looks at the file of an owner that may be gone. */
const POLL_MS = 250;

const OWNER_FILE = /^owner-(\d{1,15})\.json$/;

/** The content of an owner file. */
interface OwnerRecord extends ProcessMark {
  /** Distinguishes this claim from every other one. */
  token: string;
  host: string;
  /** @see processSpace */
  space: string;
  /** Device and inode of the folder when it was claimed; a copy of the folder has another one. */
  folderId: string;
  /** Redis that the owner uses, without credentials. */
  redis: string;
  /** Key of the lease in that Redis; absent if the owner holds none. */
  leaseKey?: string;
  /** ISO 8601. */
  since: string;
  /** True once the owner has stopped in an orderly way. */
  released: boolean;
}

/** What to claim, and how to describe the claimant in the errors that others get. */
export interface ClaimOptions {
  folder: string;
  /** URL of the Redis in use; credentials are removed. */
  redisUrl: string;
  /** Key of a lease in that Redis that the claimant holds, and every other owner with this Redis and key has lost. */
  leaseKey?: string;
  signal?: AbortSignal;
  /** Time without a renewal after which an owner on another machine counts as gone. Default `STALE_MS`. */
  staleMs?: number;
  /** Called once if the claim must wait to see whether the previous owner is alive. */
  onWait?: (message: string) => void;
  /** Called once when the folder is found to be lost, by a check before a write or by a renewal. */
  onLost?: (error: UnavailableError) => void;
}

/** A data folder that this process owns. */
export class FolderOwner {
  /** Number of this ownership: higher than that of every previous owner of the folder. */
  readonly epoch: number;
  readonly #folder: string;
  readonly #record: OwnerRecord;
  readonly #onLost: (error: UnavailableError) => void;
  readonly #renewal: NodeJS.Timeout;
  #isLost = false;
  #isReleased = false;

  private constructor(epoch: number, record: OwnerRecord, { folder, onLost = () => {} }: ClaimOptions) {
    this.#folder = folder;
    this.epoch = epoch;
    this.#record = record;
    this.#onLost = onLost;
    this.#renewal = setInterval(() => this.#renew(), RENEW_MS).unref();
  }

  /**
   * Claims a folder, which is created if missing.
   * @throws {UnavailableError} `folder-in-use` if another process owns it; the message names that process
   * @throws the signal's reason
   * @throws the error of the file system if the folder cannot be written
   */
  static async claim(options: ClaimOptions): Promise<FolderOwner> {
    const { folder } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const record = await recordOf(options);
    for (;;) {
      const previous = await lastEpoch(folder);
      if (previous > 0) await waitUntilGone(previous, record, options);
      const epoch = previous + 1;
      const path = join(folder, fileOf(epoch));
      try {
        if (!(await createExclusive(path, record))) continue;
        // Others may have claimed and released the folder since we looked: then ours is not the last epoch.
        if ((await lastEpoch(folder)) !== epoch) {
          await rm(path, { force: true });
          continue;
        }
        await syncFolder(folder);
        for (const name of await ownerFiles(folder)) {
          if (epochOf(name) < epoch) await rm(join(folder, name), { force: true });
        }
        return new FolderOwner(epoch, record, options);
      } catch (error) {
        // A full disk: nothing may stay that the next attempt would take for an owner.
        if ((await readRecord(path).catch(() => undefined))?.token === record.token)
          await rm(path, { force: true });
        throw error;
      }
    }
  }

  /**
   * Checks that a claim would not be refused, without claiming; waits like a claim if it must.
   * @throws {UnavailableError} `folder-in-use`
   */
  static async assertFree(options: ClaimOptions): Promise<void> {
    if (!exists(options.folder)) return;
    const last = await lastEpoch(options.folder);
    if (last > 0) await waitUntilGone(last, await recordOf(options), options);
  }

  /**
   * To be called before each write to the folder. Two calls of stat(2), about 10 µs on a local disk.
   * @throws {UnavailableError} `folder-lost` if another process took over the folder, the folder was removed or replaced, or
   *   this owner has released it
   * @throws the error of the file system if the disk cannot tell
   */
  assertOwned(): void {
    if (!this.#isLost && !this.#isReleased) {
      if (exists(this.#pathOf(this.epoch)) && !exists(this.#pathOf(this.epoch + 1))) return;
      this.#isLost = true;
      this.#onLost(this.#lostError());
    }
    throw this.#lostError();
  }

  /** Whether `assertOwned` has failed; it never succeeds again. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Releases the folder, so that the next owner need not wait. */
  async release(): Promise<void> {
    clearInterval(this.#renewal);
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#isLost || !exists(this.#pathOf(this.epoch)) || exists(this.#pathOf(this.epoch + 1))) return;
    const draft = `${this.#pathOf(this.epoch)}.released`;
    try {
      await writeFile(draft, textOf({ ...this.#record, released: true }), { mode: 0o600 });
      await rename(draft, this.#pathOf(this.epoch));
    } catch {
      // A full or read-only disk: the next owner finds that this process has ended.
    }
  }

  #renew(): void {
    const now = new Date();
    utimes(this.#pathOf(this.epoch), now, now)
      // A disk that refuses this also refuses the next write, which reports it.
      .catch(() => {})
      .then(() => {
        if (!this.#isReleased) this.assertOwned();
      })
      // Reported to `onLost`.
      .catch(() => {});
  }

  #lostError(): UnavailableError {
    return new UnavailableError(
      'folder-lost',
      `this producer no longer owns its data folder ${JSON.stringify(this.#folder)}: another producer took it over, or the ` +
        'folder was removed; nothing more is written to it',
    );
  }

  #pathOf(epoch: number): string {
    return join(this.#folder, fileOf(epoch));
  }
}

/** Resolves when the owner of that epoch is gone; see the head of this file. */
async function waitUntilGone(epoch: number, ours: OwnerRecord, options: ClaimOptions): Promise<void> {
  const { folder, signal, onWait, staleMs = STALE_MS } = options;
  const path = join(folder, fileOf(epoch));
  const record = await readRecord(path);
  // Removed by a newer owner: the caller looks again.
  if (record === undefined || record.released) return;
  if (record.space === ours.space) {
    if (record.folderId !== ours.folderId || !isRunning(record)) return;
    const hasLostLease =
      ours.leaseKey !== undefined && record.leaseKey === ours.leaseKey && record.redis === ours.redis;
    if (!hasLostLease || record.pid === ours.pid) throw inUse(folder, record);
  }
  onWait?.(`${describe(folder, record)}; waiting ${staleMs / 1000} s to see whether it is alive`);
  const renewed = await renewedAt(path);
  const deadline = performance.now() + staleMs;
  while (performance.now() < deadline) {
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
    if ((await readRecord(path))?.token !== record.token) return;
    if ((await renewedAt(path)) !== renewed) throw inUse(folder, record);
  }
}

/** The record of a claim by this process. */
async function recordOf({ folder, redisUrl, leaseKey }: ClaimOptions): Promise<OwnerRecord> {
  return {
    token: randomUUID(),
    ...markOf(process.pid),
    host: hostname(),
    space: processSpace(),
    folderId: await folderIdOf(folder),
    redis: shownRedisUrl(redisUrl),
    ...(leaseKey === undefined ? {} : { leaseKey }),
    since: new Date().toISOString(),
    released: false,
  };
}

function inUse(folder: string, record: OwnerRecord): UnavailableError {
  return new UnavailableError(
    'folder-in-use',
    `${describe(folder, record)}. Stop that producer first, or choose another folder with EMBEDMILL_DATA_DIR`,
    { facts: { folder, host: record.host, pid: record.pid } },
  );
}

function describe(folder: string, { host, pid, redis, since }: OwnerRecord): string {
  return `the data folder ${JSON.stringify(folder)} is in use by process ${pid} on ${host} (Redis ${redis}, since ${since})`;
}

/** Creates a file with all its content, durably; false if the file exists. */
async function createExclusive(path: string, record: OwnerRecord): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(textOf(record));
      await file.sync();
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/** The record in an owner file; `undefined` if there is no such file. */
async function readRecord(path: string): Promise<OwnerRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    return JSON.parse(text) as OwnerRecord;
  } catch {
    // Half-written: by a process that is writing it right now, or by one that crashed. Its age decides, as for another machine.
    return {
      token: '',
      pid: 0,
      startTicks: null,
      host: 'an unknown host',
      space: '',
      folderId: '',
      redis: 'unknown',
      since: 'unknown',
      released: false,
    };
  }
}

async function folderIdOf(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true });
  return `${dev}:${ino}`;
}

async function renewedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

async function ownerFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => OWNER_FILE.test(name));
}

async function lastEpoch(folder: string): Promise<number> {
  return Math.max(0, ...(await ownerFiles(folder)).map(epochOf));
}

function epochOf(name: string): number {
  return Number(OWNER_FILE.exec(name)?.[1]);
}

function fileOf(epoch: number): string {
  return `owner-${epoch}.json`;
}

function textOf(record: OwnerRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
