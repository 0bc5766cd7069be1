/** What is durable about a batch: replayed from a journal into memory, appended to by the batch. */

import { EmbedmillError } from '@embedmill/contract';
import { Journal } from '@embedmill/core/runs';
import type { BatchEnd, BatchEntry } from './types.ts';

/** The last entry of each type. */
type Latest = { [Type in BatchEntry['type']]?: Extract<BatchEntry, { type: Type }> };

export class BatchLedger {
  readonly #journal: Journal<BatchEntry>;
  readonly #latest: Latest;
  #last: Promise<void> = Promise.resolve();

  private constructor(journal: Journal<BatchEntry>, latest: Latest) {
    this.#journal = journal;
    this.#latest = latest;
  }

  /** Starts the ledger of a new batch. */
  static async create(path: string, created: Extract<BatchEntry, { type: 'created' }>): Promise<BatchLedger> {
    const ledger = new BatchLedger(await Journal.open<BatchEntry>(path, () => {}), {});
    await ledger.append(created);
    return ledger;
  }

  /**
   * Opens the ledger of a known batch.
   * @throws {EmbedmillError} `no-ledger` when the process died while the batch was being created
   */
  static async open(path: string): Promise<BatchLedger> {
    const latest: Latest = {};
    const journal = await Journal.open<BatchEntry>(path, (entry) =>
      Object.assign(latest, { [entry.type]: entry }),
    );
    if (latest.created !== undefined) return new BatchLedger(journal, latest);
    await journal.close();
    throw new EmbedmillError('no-ledger', `${path} holds no batch`);
  }

  get created(): Extract<BatchEntry, { type: 'created' }> {
    // `create` and `open` see to it that it is there.
    return this.#latest.created!;
  }

  get validated(): Extract<BatchEntry, { type: 'validated' }> | undefined {
    return this.#latest.validated;
  }

  /** The run that does the work. */
  get run(): string | undefined {
    return this.#latest.started?.run;
  }

  get stopping(): Extract<BatchEntry, { type: 'stopping' }> | undefined {
    return this.#latest.stopping;
  }

  get finalizing(): Extract<BatchEntry, { type: 'finalizing' }> | undefined {
    return this.#latest.finalizing;
  }

  get ended(): BatchEnd | undefined {
    return this.#latest.ended;
  }

  /** Appends an entry, after those before it; when it resolves it is on the disk and in memory. */
  append(entry: BatchEntry): Promise<void> {
    const appended = this.#last.then(async () => {
      await this.#journal.append([entry]);
      Object.assign(this.#latest, { [entry.type]: entry });
    });
    this.#last = appended.catch(() => {});
    return appended;
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }
}
