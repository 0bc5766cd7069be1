/** A file that is being written: an upload, or the output of a batch. */

import { type FileHandle, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AppendedFileDeps, syncFolder, writeSynced } from '@embedmill/core/process';
import type { FilePurpose, StoredFile } from './types.ts';

/** Facts that the writer states when the file is complete. Times are milliseconds since 1970. */
export interface FileFacts {
  filename: string;
  purpose: FilePurpose;
  expiresAt: number | null;
}

/** What a draft works with. */
export interface FileDraftDeps extends AppendedFileDeps {
  /** Receives the file once it is durable. */
  keep: (file: StoredFile) => void;
}

/** A folder with a temporary name, invisible until `commit` renames it. */
export class FileDraft {
  readonly #id: string;
  readonly #folder: string;
  readonly #content: FileHandle;
  readonly #deps: FileDraftDeps;
  #bytes = 0;
  #isClosed = false;
  #isPublished = false;

  constructor(id: string, folder: string, content: FileHandle, deps: FileDraftDeps) {
    this.#id = id;
    this.#folder = folder;
    this.#content = content;
    this.#deps = deps;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends bytes. Calls must not overlap. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#deps.assertWritable();
    for (let written = 0; written < chunk.byteLength; ) {
      written += (await this.#content.write(chunk, written)).bytesWritten;
    }
    this.#bytes += chunk.byteLength;
  }

  /** Publishes the file: bytes, then facts, then the name. When it resolves, the file is durable. */
  async commit(facts: FileFacts): Promise<StoredFile> {
    const file: StoredFile = { id: this.#id, bytes: this.#bytes, createdAt: Date.now(), ...facts };
    this.#deps.assertWritable();
    await this.#content.sync();
    await this.#close();
    await writeSynced(join(this.#folder, 'file.json'), Buffer.from(JSON.stringify(file)));
    await syncFolder(this.#folder);
    const parent = dirname(this.#folder);
    this.#deps.assertWritable();
    const published = join(parent, this.#id);
    await rename(this.#folder, published);
    this.#isPublished = true;
    try {
      await syncFolder(parent);
    } catch (error) {
      // The client is not told of this file, so it must not stay.
      await rm(published, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
    this.#deps.keep(file);
    return file;
  }

  /** Deletes what was written; has no effect after the file was published. Errors are ignored: the next start deletes the rest. */
  async discard(): Promise<void> {
    await this.#close().catch(() => {});
    if (!this.#isPublished) await rm(this.#folder, { recursive: true, force: true }).catch(() => {});
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#content.close();
  }
}
