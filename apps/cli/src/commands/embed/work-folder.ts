/** The work folder of an output, and the note in it that lets a later invocation resume. */

import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { NewRun } from '@embedmill/client';
import type { Environment } from '@embedmill/core/process';
import type { OutputDraft } from '../../io/output/types.ts';
import type { InputIdentity } from '../../io/sources/types.ts';
import type { RowChoices } from './identity.ts';

/** What a later invocation needs in order to resume. */
export interface ResumeNote {
  /** Format version of this file. */
  version: 1;
  /**
   * Id of the run at the producer; of several producers their ids with commas, see {@link WorkFolder.partMapPath}. `null` while it is
   * not known whether the run was created.
   */
  run: string | null;
  /** The request that creates the run; absent in notes of earlier versions, which have a run. */
  request?: RunRequest;
  input: InputIdentity | null;
  choices: RowChoices;
  /** SHA-256 of the output that rows are appended to; `null` without one, and absent in earlier versions. */
  oldOutput?: string | null;
  /** True after --overwrite, so that the same command resumes. */
  overwrite: boolean;
  /** ISO 8601. */
  createdAt: string;
}

/** A request that can be repeated: the producer answers with the run that it has created for the key. */
export interface RunRequest {
  key: string;
  run: NewRun;
}

/** State that must outlive an invocation; removed when the output is complete. */
export class WorkFolder {
  readonly path: string;

  /** Beside the output, or in `EMBEDMILL_DATA_DIR` if set. */
  constructor(outputPath: string, { EMBEDMILL_DATA_DIR: dataDir }: Environment) {
    const isChosen = dataDir !== undefined && dataDir !== '';
    this.path = isChosen
      ? resolve(dataDir, 'embed', createHash('sha256').update(outputPath).digest('hex'))
      : `${outputPath}.partial`;
  }

  /** Data folder of the embedded producer and Redis. */
  get dataDir(): string {
    return join(this.path, 'data');
  }

  /** Path of the map that says which of several producers has which part. */
  get partMapPath(): string {
    return join(this.path, 'parts');
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  /** The note of an earlier invocation, or null. An unrecognized file is ignored. */
  async readNote(): Promise<ResumeNote | null> {
    const text = await readFile(this.#notePath, 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      const note: ResumeNote = JSON.parse(text);
      return note.version === 1 ? note : null;
    } catch {
      return null;
    }
  }

  /** Replaces the note atomically. */
  writeNote(note: ResumeNote): Promise<void> {
    return this.#replace(this.#notePath, note);
  }

  /** Records complete drafts before they are published one after the other. */
  writeDrafts(drafts: readonly OutputDraft[]): Promise<void> {
    return this.#replace(this.#draftsPath, drafts);
  }

  /** The drafts that a killed command was publishing; `null` if there was none. */
  async readDrafts(): Promise<OutputDraft[] | null> {
    const text = await readFile(this.#draftsPath, 'utf8').catch(() => null);
    return text === null ? null : JSON.parse(text);
  }

  async removeDrafts(): Promise<void> {
    await rm(this.#draftsPath, { force: true });
  }

  async #replace(path: string, value: unknown): Promise<void> {
    const draft = `${path}.draft`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  }

  /** Removes everything but the lock. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (!name.startsWith('lock.json')) await rm(join(this.path, name), { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  get #draftsPath(): string {
    return join(this.path, 'drafts.json');
  }

  get #notePath(): string {
    return join(this.path, 'job.json');
  }
}
