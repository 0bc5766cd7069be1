/** An append-only file that holds a descriptor only while it is written, and whose torn end is cut off before anything follows it. */

import { type FileHandle, open } from 'node:fs/promises';

/** Time after the last append until the file is closed: finished runs hold no descriptor, busy ones do not reopen theirs. */
const IDLE_MS = 2000;

/** What an appended file works with. */
export interface AppendedFileDeps {
  /** Throws if this process must not write; called immediately before each write. */
  assertWritable: () => void;
}

/** Where the file starts. */
export interface AppendedFileState {
  /** Length of the confirmed content, in bytes. */
  end: number;
  /** Whether bytes may follow `end`; they are cut off before the next append. */
  isTorn: boolean;
}

/** The file must exist. Calls of `append` and `close` must not overlap. */
export class AppendedFile {
  readonly #path: string;
  readonly #assertWritable: () => void;
  #end: number;
  #isTorn: boolean;
  #file: FileHandle | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(path: string, { end, isTorn }: AppendedFileState, deps: AppendedFileDeps) {
    this.#path = path;
    this.#end = end;
    this.#isTorn = isTorn;
    this.#assertWritable = deps.assertWritable;
  }

  /** Length of the confirmed content, in bytes. */
  get end(): number {
    return this.#end;
  }

  /**
   * Appends bytes; when it resolves, they are on disk. After a failure nothing of them counts: the next append overwrites
   * them, and is refused until what they left behind has been cut off.
   * @throws the error of the file system, or that of `assertWritable`
   */
  async append(bytes: Uint8Array): Promise<void> {
    clearTimeout(this.#idle);
    this.#assertWritable();
    try {
      // Not created: a file that vanished is a fault, and so is every record that would follow it.
      this.#file ??= await open(this.#path, 'r+');
      if (this.#isTorn) await this.#cut();
      this.#assertWritable();
      // From here on, bytes may follow the confirmed content.
      this.#isTorn = true;
      for (let written = 0; written < bytes.byteLength; ) {
        written += (await this.#file.write(bytes, written, undefined, this.#end + written)).bytesWritten;
      }
      await this.#file.datasync();
      this.#end += bytes.byteLength;
      this.#isTorn = false;
    } catch (error) {
      // Cut now if possible, so that a crash leaves a whole file; otherwise before the next append.
      if (this.#isTorn) await this.#cut().catch(() => {});
      throw error;
    } finally {
      this.#idle = setTimeout(() => void this.close().catch(() => {}), IDLE_MS).unref();
    }
  }

  /** Closes the file; a later append opens it again. Idempotent. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #cut(): Promise<void> {
    if (this.#file === undefined) return;
    this.#assertWritable();
    await this.#file.truncate(this.#end);
    await this.#file.datasync();
    this.#isTorn = false;
  }
}
