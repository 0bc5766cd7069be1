/** A file that is being written: an upload, or the output of a batch. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '@embedmill/core/process';
import type { FilePurpose, StoredFile } from './types.ts';

/** Facts that the writer states when the file is complete. Times are milliseconds since 1970. */
export interface FileFacts {
  filename: string;
  purpose: FilePurpose;
  expiresAt: number | null;
}

/** A folder with a temporary name, invisible until `commit` renames it. */
export class FileDraft {
  readonly #id: string;
  readonly #folder: string;
  readonly #content: FileHandle;
  readonly #keep: (file: StoredFile) => void;
  #bytes = 0;
  #isClosed = false;

  /** @param keep receives the file once it is durable */
  constructor(id: string, folder: string, content: FileHandle, keep: (file: StoredFile) => void) {
    this.#id = id;
    this.#folder = folder;
    this.#content = content;
    this.#keep = keep;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends bytes. Calls must not overlap. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.byteLength; ) {
      written += (await this.#content.write(chunk, written)).bytesWritten;
    }
    this.#bytes += chunk.byteLength;
  }

  /** Publishes the file: bytes, then facts, then the name. When it resolves, the file is durable. */
  async commit(facts: FileFacts): Promise<StoredFile> {
    const file: StoredFile = { id: this.#id, bytes: this.#bytes, createdAt: Date.now(), ...facts };
    await this.#content.sync();
    await this.#content.close();
    this.#isClosed = true;
    const description = await open(join(this.#folder, 'file.json'), 'wx', 0o600);
    try {
      await description.writeFile(JSON.stringify(file));
      await description.sync();
    } finally {
      await description.close();
    }
    await syncFolder(this.#folder);
    const parent = dirname(this.#folder);
    await rename(this.#folder, join(parent, this.#id));
    await syncFolder(parent);
    this.#keep(file);
    return file;
  }

  /** Deletes what was written; has no effect after `commit`. */
  async discard(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#content.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
