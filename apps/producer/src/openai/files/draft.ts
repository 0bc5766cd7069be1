/** A file that is being written; the store begins one for an upload, a batch for its output. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '@embedmill/core/process';
import type { FilePurpose, KeptFile } from './types.ts';

/** What its writer says of a file when it is whole. */
export interface FileFacts {
  filename: string;
  purpose: FilePurpose;
  expiresAt: number | null;
}

/** Bytes in a folder of a name that nobody looks for, until `commit` gives it its own. */
export class FileDraft {
  readonly #id: string;
  readonly #folder: string;
  readonly #content: FileHandle;
  readonly #keep: (file: KeptFile) => void;
  #bytes = 0;
  #isCommitted = false;

  /** @param keep told about the file once it survives a power cut */
  constructor(id: string, folder: string, content: FileHandle, keep: (file: KeptFile) => void) {
    this.#id = id;
    this.#folder = folder;
    this.#content = content;
    this.#keep = keep;
  }

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

  /** Makes it a file: bytes, then facts, then the name. When it resolves, the file survives a power cut. */
  async commit(facts: FileFacts): Promise<KeptFile> {
    const file: KeptFile = { id: this.#id, bytes: this.#bytes, createdAt: Date.now(), ...facts };
    await this.#content.sync();
    await this.#content.close();
    this.#isCommitted = true;
    const description = await open(join(this.#folder, 'file.json'), 'wx', 0o600);
    try {
      await description.writeFile(JSON.stringify(file));
      await description.sync();
    } finally {
      await description.close();
    }
    await syncFolder(this.#folder);
    const home = dirname(this.#folder);
    await rename(this.#folder, join(home, this.#id));
    await syncFolder(home);
    this.#keep(file);
    return file;
  }

  /** Removes what was written; after a `commit` it does nothing. */
  async discard(): Promise<void> {
    if (this.#isCommitted) return;
    this.#isCommitted = true;
    await this.#content.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
