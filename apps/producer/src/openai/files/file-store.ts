/** Files that clients upload and that batches make, each in a folder of its own; the producer opens one store. */

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, quote, RequestError } from '@embedmill/contract';
import { ageSortedId } from '@embedmill/core/process';
import type { Logger } from 'pino';
import { FileDraft } from './draft.ts';
import type { KeptFile } from './types.ts';

const ID = /^file-[0-9a-z]{19}$/;

/** Starts the names of folders that are no file yet, and of those that are none any more; a crash may leave both. */
const DRAFT = '.draft-';
const REMOVED = '.removed-';

const MINUTE_MS = 60_000;

/** What a store works with. */
export interface FileStoreDeps {
  /** Throws when another producer may have the data folder; asked before each write. */
  assertLeaseHeld: () => void;
  log: Logger;
}

/** A name that no file has had. */
export function newFileId(): string {
  return `file-${ageSortedId()}`;
}

/** Files live in `<dataDir>/files/<id>/`: `content` and `file.json`. They appear and go by rename. */
export class FileStore {
  readonly #deps: FileStoreDeps;
  readonly #folder: string;
  readonly #files = new Map<string, KeptFile>();
  readonly #sweep: NodeJS.Timeout;

  private constructor(parts: FileStoreDeps, folder: string) {
    this.#deps = parts;
    this.#folder = folder;
    this.#sweep = setInterval(() => void this.#removeExpired(), MINUTE_MS);
    this.#sweep.unref();
  }

  /** Opens the folder, made if missing, and clears away what a crash left. */
  static async open(parts: FileStoreDeps, dataDir: string): Promise<FileStore> {
    const folder = join(dataDir, 'files');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const store = new FileStore(parts, folder);
    for (const name of await readdir(folder)) {
      if (name.startsWith(DRAFT) || name.startsWith(REMOVED))
        await rm(join(folder, name), { recursive: true, force: true });
      else if (ID.test(name)) await store.#load(name);
    }
    return store;
  }

  /** All files that have not expired, newest first. */
  list(): KeptFile[] {
    const now = Date.now();
    return [...this.#files.values()]
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** The file, or nothing when it was removed or has expired. */
  find(id: string): KeptFile | undefined {
    const file = this.#files.get(id);
    return file?.expiresAt != null && file.expiresAt <= Date.now() ? undefined : file;
  }

  /** @throws {RequestError} `unknown-file` */
  get(id: string): KeptFile {
    const file = this.find(id);
    if (file !== undefined) return file;
    throw new RequestError('unknown-file', `No such File object: ${quote(id)}`);
  }

  /** Where the bytes of a file are, for reading and for links; they never change. */
  pathOf({ id }: Pick<KeptFile, 'id'>): string {
    return join(this.#folder, id, 'content');
  }

  /**
   * Begins a file.
   * @param id of a file that is made again after a crash; an earlier one of that name is replaced
   */
  async begin(id: string = newFileId()): Promise<FileDraft> {
    this.#deps.assertLeaseHeld();
    if (this.#files.has(id)) await this.remove(id);
    const folder = join(this.#folder, `${DRAFT}${id}`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    const content = await open(join(folder, 'content'), 'wx', 0o600);
    return new FileDraft(id, folder, content, (file) => this.#files.set(id, file));
  }

  /** @throws {RequestError} `unknown-file` */
  async remove(id: string): Promise<void> {
    this.get(id);
    await this.#remove(id);
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  async #remove(id: string): Promise<void> {
    this.#deps.assertLeaseHeld();
    this.#files.delete(id);
    // A rename is one step: whatever dies now, the file is gone and no half of it is found at the next start.
    const doomed = join(this.#folder, `${REMOVED}${id}`);
    await rename(join(this.#folder, id), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  async #load(id: string): Promise<void> {
    try {
      const file = JSON.parse(await readFile(join(this.#folder, id, 'file.json'), 'utf8')) as KeptFile;
      this.#files.set(id, file);
    } catch (error) {
      const reason = asError(error).message;
      this.#deps.log.error({ file: id, reason }, 'a file cannot be opened and is left out');
    }
  }

  async #removeExpired(): Promise<void> {
    try {
      for (const id of [...this.#files.keys()]) if (this.find(id) === undefined) await this.#remove(id);
    } catch (error) {
      const reason = asError(error).message;
      this.#deps.log.warn({ reason }, 'expired files are removed later');
    }
  }
}
