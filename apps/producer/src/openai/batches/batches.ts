/** All batches of one data folder; the producer opens them once and asks them for every request. */

import { copyFile, link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, EmbedmillError, quote, RequestError } from '@embedmill/contract';
import { ageSortedId, syncFolder } from '@embedmill/core/process';
import { Batch, type BatchDeps, INPUT_NAME, LEDGER_NAME } from './batch.ts';
import { BatchLedger } from './ledger.ts';
import type { BatchRequest } from './types.ts';

const ID = /^batch_[0-9a-z]{19}$/;

/** Batches live in `<dataDir>/batches/<id>/`: `ledger.journal` and `input.jsonl`, which is the file they were made from. */
export class Batches {
  readonly #deps: BatchDeps;
  readonly #folder: string;
  readonly #batches = new Map<string, Batch>();

  private constructor(parts: BatchDeps, folder: string) {
    this.#deps = parts;
    this.#folder = folder;
  }

  /** Opens every batch in the data folder and goes on with those that have not ended. A damaged one is left out and logged. */
  static async open(parts: BatchDeps, dataDir: string): Promise<Batches> {
    const folder = join(dataDir, 'batches');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const batches = new Batches(parts, folder);
    for (const id of (await readdir(folder)).filter((name) => ID.test(name)).sort()) {
      try {
        const ledger = await BatchLedger.open(join(folder, id, LEDGER_NAME));
        batches.#keep(new Batch(parts, join(folder, id), ledger));
      } catch (error) {
        if (error instanceof EmbedmillError && error.code === 'no-ledger')
          await rm(join(folder, id), { recursive: true });
        else
          parts.log.error(
            { batch: id, reason: asError(error).message },
            'a batch cannot be opened and is left out',
          );
      }
    }
    return batches;
  }

  /**
   * Starts a batch.
   * @throws {RequestError} `unknown-file`
   */
  async create(request: BatchRequest): Promise<Batch> {
    const { files, assertLeaseHeld } = this.#deps;
    const input = files.pathOf(files.get(request.inputFileId));
    assertLeaseHeld();
    const id = `batch_${ageSortedId()}`;
    const folder = join(this.#folder, id);
    await mkdir(folder, { mode: 0o700 });
    await keepInput(input, join(folder, INPUT_NAME));
    const at = Date.now();
    const expiresAt = at + request.windowMs;
    const ledger = await BatchLedger.create(join(folder, LEDGER_NAME), {
      type: 'created',
      id,
      at,
      expiresAt,
      request,
    });
    await syncFolder(folder);
    await syncFolder(this.#folder);
    const batch = new Batch(this.#deps, folder, ledger);
    this.#keep(batch);
    return batch;
  }

  /** @throws {RequestError} `unknown-batch` */
  get(id: string): Batch {
    const batch = this.#batches.get(id);
    if (batch !== undefined) return batch;
    throw new RequestError('unknown-batch', `No such Batch object: ${quote(id)}`);
  }

  /** All batches, newest first. */
  list(): Batch[] {
    return [...this.#batches.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Stops the work; the next process goes on. */
  async close(): Promise<void> {
    await Promise.all([...this.#batches.values()].map((batch) => batch.close()));
    this.#batches.clear();
  }

  #keep(batch: Batch): void {
    this.#batches.set(batch.id, batch);
    batch.start();
  }
}

/** Links the input, so that it outlives the client's own file; on file systems without links it is copied. */
async function keepInput(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
    const copy = await open(to, 'r+');
    try {
      await copy.sync();
    } finally {
      await copy.close();
    }
  }
}
