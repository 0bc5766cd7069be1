/** The work folder of one output, and the note in it that lets a later call continue. */

import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '@embedmill/core/process';
import type { InputIdentity, RowChoices } from './identity.ts';

/** What a later call must know. */
export interface Job {
  /** Of this file's format. */
  version: 1;
  /** The run at the producer. */
  run: string;
  input: InputIdentity | null;
  choices: RowChoices;
  /** True when the call said --overwrite, so that the same call again continues. */
  overwrite: boolean;
  createdAt: string;
}

/** Everything of a call that must outlive it; removed when the output is complete. */
export class WorkFolder {
  readonly path: string;

  /** Beside the output, or in `EMBEDMILL_DATA_DIR` if that is set. */
  constructor(outputPath: string, { EMBEDMILL_DATA_DIR: dataDir }: Environment) {
    const isChosen = dataDir !== undefined && dataDir !== '';
    this.path = isChosen
      ? resolve(dataDir, 'embed', createHash('sha256').update(outputPath).digest('hex'))
      : `${outputPath}.partial`;
  }

  /** Of the embedded producer and Redis. */
  get dataDir(): string {
    return join(this.path, 'data');
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  /** The note of an earlier call, or null. A file that is none of ours counts as none. */
  async readJob(): Promise<Job | null> {
    const text = await readFile(this.#jobPath, 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      const job: Job = JSON.parse(text);
      return job.version === 1 ? job : null;
    } catch {
      return null;
    }
  }

  /** Replaces the note in one step. */
  async writeJob(job: Job): Promise<void> {
    const draft = `${this.#jobPath}.draft`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(job, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#jobPath);
  }

  /** Forgets everything but the lock. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (!name.startsWith('lock.json')) await rm(join(this.path, name), { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  get #jobPath(): string {
    return join(this.path, 'job.json');
  }
}
