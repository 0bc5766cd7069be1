/** The durable facts of a batch: a journal that is replayed into memory and appended to. */

import { CorruptError } from '@embedmill/contract';
import type { AppendedFileDeps } from '@embedmill/core/process';
import { Journal } from '@embedmill/core/runs';
import type { BatchEnd, BatchEntry } from './types.ts';

/** The last entry of each type. */
type Latest = { [Type in BatchEntry['type']]?: Extract<BatchEntry, { type: Type }> };

/** The last entry of each type in the journal of one batch. */
export class BatchLedger {
  readonly #journal: Journal<BatchEntry>;
  readonly #latest: Latest;
  #last: Promise<void> = Promise.resolve();

  private constructor(journal: Journal<BatchEntry>, latest: Latest) {
    this.#journal = journal;
    this.#latest = latest;
  }

  /**
   * Opens the ledger of an existing batch; nothing is written.
   * @throws {CorruptError} `corrupt-journal`, also for an empty file or one that does not start with the request
   */
  static async open(path: string, deps: AppendedFileDeps): Promise<BatchLedger> {
    const latest: Latest = {};
    const journal = await Journal.open<BatchEntry>(
      path,
      (entry) => Object.assign(latest, { [entry.type]: entry }),
      deps,
    );
    if (latest.created === undefined)
      throw new CorruptError('corrupt-journal', `${path} lacks its first record, the request of the batch`);
    return new BatchLedger(journal, latest);
  }

  get created(): Extract<BatchEntry, { type: 'created' }> {
    // `open` guarantees the entry.
    return this.#latest.created!;
  }

  get validated(): Extract<BatchEntry, { type: 'validated' }> | undefined {
    return this.#latest.validated;
  }

  /** Id of the run that embeds the texts. */
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

  /** Appends an entry after all earlier ones. When it resolves, the entry is on disk and in memory. */
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
