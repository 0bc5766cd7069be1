/** All batches of the OpenAI API in one data folder. */

import { copyFile, link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, EmbedmillError, quote, RequestError } from '@embedmill/contract';
import { ageSortedId, syncFolder } from '@embedmill/core/process';
import { BatchLedger } from './batch-ledger.ts';
import { INPUT_NAME, LEDGER_NAME, OpenAiBatch, type OpenAiBatchDeps } from './openai-batch.ts';
import type { BatchCreateParams } from './types.ts';

const ID = /^batch_[0-9a-z]{19}$/;

/**
 * Each batch has a folder `<dataDir>/batches/<id>/` with its `ledger.journal` and its input file,
 * `input.jsonl`.
 */
export class OpenAiBatchStore {
  readonly #deps: OpenAiBatchDeps;
  readonly #folder: string;
  readonly #batches = new Map<string, OpenAiBatch>();

  private constructor(deps: OpenAiBatchDeps, folder: string) {
    this.#deps = deps;
    this.#folder = folder;
  }

  /**
   * Opens all batches in the data folder and continues those that have not ended. A damaged one is logged and
   * skipped.
   */
  static async open(deps: OpenAiBatchDeps, dataDir: string): Promise<OpenAiBatchStore> {
    const folder = join(dataDir, 'batches');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const batches = new OpenAiBatchStore(deps, folder);
    for (const id of (await readdir(folder)).filter((name) => ID.test(name)).sort()) {
      try {
        const ledger = await BatchLedger.open(join(folder, id, LEDGER_NAME));
        batches.#keep(new OpenAiBatch(deps, join(folder, id), ledger));
      } catch (error) {
        if (error instanceof EmbedmillError && error.code === 'no-ledger')
          await rm(join(folder, id), { recursive: true });
        else
          deps.log.error(
            { batch: id, reason: asError(error).message },
            'a batch cannot be opened and is skipped',
          );
      }
    }
    return batches;
  }

  /**
   * Creates a batch and starts it.
   * @throws {RequestError} `unknown-file`
   */
  async create(params: BatchCreateParams): Promise<OpenAiBatch> {
    const { files, assertLeaseHeld } = this.#deps;
    const input = files.pathOf(files.get(params.inputFileId));
    assertLeaseHeld();
    const id = `batch_${ageSortedId()}`;
    const folder = join(this.#folder, id);
    await mkdir(folder, { mode: 0o700 });
    await keepInput(input, join(folder, INPUT_NAME));
    const at = Date.now();
    const expiresAt = at + params.windowMs;
    const ledger = await BatchLedger.create(join(folder, LEDGER_NAME), {
      type: 'created',
      id,
      at,
      expiresAt,
      request: params,
    });
    await syncFolder(folder);
    await syncFolder(this.#folder);
    const batch = new OpenAiBatch(this.#deps, folder, ledger);
    this.#keep(batch);
    return batch;
  }

  /** @throws {RequestError} `unknown-batch` */
  get(id: string): OpenAiBatch {
    const batch = this.#batches.get(id);
    if (batch !== undefined) return batch;
    throw new RequestError('unknown-batch', `No such Batch object: ${quote(id)}`);
  }

  /** All batches, newest first. */
  list(): OpenAiBatch[] {
    return [...this.#batches.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Stops working on all batches; the next process continues them. */
  async close(): Promise<void> {
    await Promise.all([...this.#batches.values()].map((batch) => batch.close()));
    this.#batches.clear();
  }

  #keep(batch: OpenAiBatch): void {
    this.#batches.set(batch.id, batch);
    batch.start();
  }
}

/** Links the input file, so that it outlives the uploaded one; file systems without links get a copy. */
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
