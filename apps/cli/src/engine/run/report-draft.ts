/** Writes the report of the rows without a vector while they are downloaded. */

import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OutputDraft } from '../../io/output/types.ts';
import { draftPathOf } from '../../io/output/write-draft.ts';
import { reportPath } from '../../io/vectors/companions.ts';
import type { DownloadedRows } from './download-rows.ts';

/** A draft that exists only if a row has no vector. */
export class ReportDraft {
  readonly #path: string;
  #file: FileHandle | null = null;
  #rows = 0;

  /** @param outputPath path of the vectors */
  constructor(outputPath: string) {
    this.#path = reportPath(outputPath);
  }

  /** Number of rows in the report. */
  get rows(): number {
    return this.#rows;
  }

  /** Passes the rows on and adds those without a vector. */
  async *record(slices: AsyncIterable<DownloadedRows>): AsyncGenerator<DownloadedRows> {
    for await (const slice of slices) {
      if (slice.missing.length > 0) {
        await mkdir(dirname(this.#path), { recursive: true });
        this.#file ??= await open(draftPathOf(this.#path), 'w');
        await this.#file.writeFile(slice.missing.map((row) => `${JSON.stringify(row)}\n`).join(''));
        this.#rows += slice.missing.length;
      }
      yield slice;
    }
  }

  /** Flushes the report to disk; `null` if there is none. */
  async finish(): Promise<OutputDraft | null> {
    if (this.#file === null) return null;
    await this.#file.sync();
    const { size } = await this.#file.stat();
    await this.close();
    return { path: this.#path, draftPath: draftPathOf(this.#path), bytes: size };
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** Removes the draft. */
  async remove(): Promise<void> {
    await this.close();
    await rm(draftPathOf(this.#path), { force: true });
  }
}
