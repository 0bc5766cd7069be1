/** Stores uploaded files and output files of batches, each in its own folder. */

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, CorruptError, quote, RequestError } from '@embedmill/contract';
import { ageSortedId, faultOf, removeLeftovers } from '@embedmill/core/process';
import type { Logger } from 'pino';
import { FileDraft } from './file-draft.ts';
import type { StoredFile } from './types.ts';

const ID = /^file-[0-9a-z]{19}$/;

/** Name prefixes of folders that are not yet, or no longer, a file; a crash may leave both kinds. */
const DRAFT = '.draft-';
const REMOVED = '.removed-';

const MINUTE_MS = 60_000;

/** What a store works with. */
export interface FileStoreDeps {
  /** Throws unless this producer owns the data folder and holds its lease; called before each write. */
  assertLeaseHeld: () => void;
  log: Logger;
}

/** A new, unique file id. */
export function newFileId(): string {
  return `file-${ageSortedId()}`;
}

/**
 * Each file is a folder `<dataDir>/files/<id>/` with `content` and `file.json`, which appears and disappears
 * by rename.
 */
export class FileStore {
  readonly #deps: FileStoreDeps;
  readonly #folder: string;
  readonly #files = new Map<string, StoredFile>();
  /** Files that are deleted, and whose bytes may still be on disk. */
  readonly #removing = new Set<string>();
  /** Removals in progress by id, which concurrent calls share. */
  readonly #removals = new Map<string, Promise<void>>();
  /** Files whose description cannot be read. */
  readonly #damaged = new Set<string>();
  readonly #sweep: NodeJS.Timeout;

  private constructor(deps: FileStoreDeps, folder: string) {
    this.#deps = deps;
    this.#folder = folder;
    this.#sweep = setInterval(() => void this.#removeExpired(), MINUTE_MS);
    this.#sweep.unref();
  }

  /** Opens the folder, creating it if missing, and deletes leftovers of a crash. @throws a passing fault of the disk */
  static async open(deps: FileStoreDeps, dataDir: string): Promise<FileStore> {
    const folder = join(dataDir, 'files');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = new FileStore(deps, folder);
    for (const name of await readdir(folder)) {
      if (name.startsWith(DRAFT) || name.startsWith(REMOVED)) {
        deps.assertLeaseHeld();
        await rm(join(folder, name), { recursive: true, force: true });
      } else if (ID.test(name)) await store.#load(name);
    }
    return store;
  }

  /** All files that have not expired, newest first. */
  list(): StoredFile[] {
    const now = Date.now();
    return [...this.#files.values()]
      .filter(({ id, expiresAt }) => !this.#removals.has(id) && (expiresAt === null || expiresAt > now))
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** The file; `undefined` if it is unknown, deleted or expired. */
  find(id: string): StoredFile | undefined {
    if (this.#removals.has(id)) return undefined;
    const file = this.#files.get(id);
    return file?.expiresAt != null && file.expiresAt <= Date.now() ? undefined : file;
  }

  /**
   * @throws {RequestError} `unknown-file`
   * @throws {CorruptError} `corrupt-files` for a file whose description is damaged
   */
  get(id: string): StoredFile {
    const file = this.find(id);
    if (file !== undefined) return file;
    if (this.#damaged.has(id))
      throw new CorruptError('corrupt-files', `the description of file ${quote(id)} is damaged`);
    throw new RequestError('unknown-file', `No such File object: ${quote(id)}`);
  }

  /** Path of the bytes of a file, for reading and linking; they never change. */
  pathOf({ id }: Pick<StoredFile, 'id'>): string {
    return join(this.#folder, id, 'content');
  }

  /**
   * Starts a new file.
   * @param id given to write a file again after a crash; replaces an earlier file with this id
   */
  async begin(id: string = newFileId()): Promise<FileDraft> {
    this.#deps.assertLeaseHeld();
    if (this.#files.has(id)) await this.remove(id);
    const folder = join(this.#folder, `${DRAFT}${id}`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    try {
      const content = await open(join(folder, 'content'), 'wx', 0o600);
      return new FileDraft(id, folder, content, {
        assertWritable: this.#deps.assertLeaseHeld,
        keep: (file) => this.#files.set(id, file),
      });
    } catch (error) {
      await removeLeftovers([folder], { assertWritable: this.#deps.assertLeaseHeld });
      throw error;
    }
  }

  /**
   * Deletes a file; a deletion that failed half-way is continued.
   * @throws {RequestError} `unknown-file`
   * @throws the error of the file system; the file or a part of it is then still on disk, and the call may be repeated
   */
  async remove(id: string): Promise<void> {
    if (!this.#removing.has(id) && !this.#removals.has(id)) this.get(id);
    await this.#remove(id);
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  async #remove(id: string): Promise<void> {
    const removal = this.#removals.get(id) ?? this.#removeFolder(id).finally(() => this.#removals.delete(id));
    this.#removals.set(id, removal);
    await removal;
  }

  async #removeFolder(id: string): Promise<void> {
    this.#deps.assertLeaseHeld();
    const removed = join(this.#folder, `${REMOVED}${id}`);
    if (!this.#removing.has(id)) {
      // A rename is atomic: after a crash, the file is gone and the next start finds no partial file.
      await rename(join(this.#folder, id), removed);
      this.#files.delete(id);
      this.#removing.add(id);
    }
    await rm(removed, { recursive: true, force: true });
    this.#removing.delete(id);
  }

  async #load(id: string): Promise<void> {
    try {
      const file = JSON.parse(await readFile(join(this.#folder, id, 'file.json'), 'utf8')) as StoredFile;
      this.#files.set(id, file);
    } catch (error) {
      if (faultOf(error).duration === 'passing') throw error;
      const reason = asError(error).message;
      this.#deps.log.error({ file: id, reason }, 'a file cannot be opened; it is left as it is');
      this.#damaged.add(id);
    }
  }

  async #removeExpired(): Promise<void> {
    try {
      for (const id of [...this.#files.keys()]) if (this.find(id) === undefined) await this.#remove(id);
      for (const id of this.#removing) await this.#remove(id);
    } catch (error) {
      const reason = asError(error).message;
      this.#deps.log.warn({ reason }, 'expired files cannot be deleted yet');
    }
  }
}
