/** All batches of the OpenAI API in one data folder. */

import { copyFile, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, CorruptError, quote, RequestError } from '@embedmill/contract';
import { ageSortedId, faultOf, syncFolder, writeSynced } from '@embedmill/core/process';
import { formatRecord } from '@embedmill/core/runs';
import { BatchLedger } from './batch-ledger.ts';
import { INPUT_NAME, LEDGER_NAME, OpenAiBatch, type OpenAiBatchDeps } from './openai-batch.ts';
import type { BatchCreateParams, BatchEntry } from './types.ts';

/** Prefix of a folder whose batch is being created; after a crash, the next start removes it. */
const DRAFT_PREFIX = '.draft-';

const ID = /^batch_[0-9a-z]{19}$/;

/**
 * Each batch has a folder `<dataDir>/batches/<id>/` with its `ledger.journal` and its input file,
 * `input.jsonl`.
 */
export class OpenAiBatchStore {
  readonly #deps: OpenAiBatchDeps;
  readonly #folder: string;
  readonly #batches = new Map<string, OpenAiBatch>();
  /** Batches whose files are damaged. */
  readonly #damaged = new Set<string>();

  private constructor(deps: OpenAiBatchDeps, folder: string) {
    this.#deps = deps;
    this.#folder = folder;
  }

  /**
   * Opens all batches in the data folder and continues those that have not ended. A damaged one is logged and
   * kept.
   * @throws a passing fault of the disk; the caller tries again
   */
  static async open(deps: OpenAiBatchDeps, dataDir: string): Promise<OpenAiBatchStore> {
    const folder = join(dataDir, 'batches');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const batches = new OpenAiBatchStore(deps, folder);
    const names = await readdir(folder);
    for (const name of names.filter((name) => name.startsWith(DRAFT_PREFIX))) {
      deps.assertLeaseHeld();
      await rm(join(folder, name), { recursive: true, force: true });
    }
    for (const id of names.filter((name) => ID.test(name)).sort()) await batches.#open(id);
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
    const [folder, draft] = [join(this.#folder, id), join(this.#folder, `${DRAFT_PREFIX}${id}`)];
    const at = Date.now();
    const created: BatchEntry = { type: 'created', id, at, expiresAt: at + params.windowMs, request: params };
    try {
      await mkdir(draft, { mode: 0o700 });
      await keepInput(input, join(draft, INPUT_NAME));
      await writeSynced(join(draft, LEDGER_NAME), Buffer.from(formatRecord(created)));
      await syncFolder(draft);
      assertLeaseHeld();
      await rename(draft, folder);
      await syncFolder(this.#folder);
      const batch = new OpenAiBatch(this.#deps, folder, await this.#openLedger(folder));
      this.#keep(batch);
      return batch;
    } catch (error) {
      for (const path of [draft, folder]) await rm(path, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  }

  /**
   * @throws {RequestError} `unknown-batch`
   * @throws {CorruptError} `corrupt-files` for a batch whose files are damaged
   */
  get(id: string): OpenAiBatch {
    const batch = this.#batches.get(id);
    if (batch !== undefined) return batch;
    if (this.#damaged.has(id))
      throw new CorruptError('corrupt-files', `the files of batch ${quote(id)} are damaged`);
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

  /** A batch that cannot be read is kept as it is. @throws a passing fault of the disk */
  async #open(id: string): Promise<void> {
    const folder = join(this.#folder, id);
    try {
      this.#keep(new OpenAiBatch(this.#deps, folder, await this.#openLedger(folder)));
    } catch (error) {
      if (faultOf(error).duration === 'passing') throw error;
      const reason = asError(error).message;
      this.#deps.log.error({ batch: id, reason }, 'a batch cannot be opened; its files are left as they are');
      this.#damaged.add(id);
    }
  }

  #openLedger(folder: string): Promise<BatchLedger> {
    return BatchLedger.open(join(folder, LEDGER_NAME), { assertWritable: this.#deps.assertLeaseHeld });
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
