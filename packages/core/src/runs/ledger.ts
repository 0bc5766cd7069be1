/** The ledger: durable events of a run (options, parts, batches, end), replayed from a journal. */

import {
  CorruptError,
  type PartReceipt,
  type RunOptions,
  type RunState,
  UNTREATED,
} from '@embedmill/contract';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { computedWith, UNSTATED_REVISION } from '../redis/batch/fingerprint.ts';
import { Journal } from './journal.ts';
import type { RowSpan } from './row-log.ts';

/** One batch of a run; its number is its index in `Ledger.batches`. */
export interface LedgerBatch {
  part: number;
  rows: number;
  /** Rows rejected on input; their verdict is `failed` whatever the worker reports. */
  bad: number;
  /** Estimated tokens. */
  tokens: number;
  /** Credit that the batch takes while it is in Redis, in bytes. */
  creditBytes: number;
  /** `digestRows` of its rows. */
  digest: string;
  /** `digestPayload` of all its texts; absent in ledgers written before 0.2. */
  payloadDigest?: string;
  span: RowSpan;
}

/** Rows of one batch, by their 0-based position in it. */
export type BatchRows = [batch: number, rows: number[]];

/** One line of the journal. Times are milliseconds since 1970. */
export type LedgerEntry =
  | { type: 'created'; id: string; at: number; options: RunOptions; requestKey?: string; keepDays?: number }
  | { type: 'batch'; batch: LedgerBatch }
  | { type: 'part'; receipt: PartReceipt }
  /** The batches of an incomplete part no longer belong to the run; their numbers are not used again. */
  | { type: 'dropped'; part: number }
  /** `treatment`: revision of the treatment; entries of older producers have none. */
  | { type: 'model'; dim: number; fingerprint: string; treatment?: number }
  | { type: 'sealed'; at: number }
  | { type: 'retry'; at: number; rows: BatchRows[] }
  | { type: 'retried'; batches: number[] }
  | { type: 'ended'; at: number; state: 'completed' | 'failed' | 'cancelled'; error: string | null }
  | { type: 'forgotten' }
  /** The run came from the export of a producer; the retention counts from here. */
  | { type: 'imported'; at: number };

/** @see Run for the states */
export class Ledger {
  readonly #journal: Journal<LedgerEntry>;
  #contents: Contents;

  private constructor(journal: Journal<LedgerEntry>, contents: Contents) {
    this.#journal = journal;
    this.#contents = contents;
  }

  /**
   * Opens the ledger of an existing run; nothing is written.
   * @throws {CorruptError} `corrupt-journal`, also for an empty file or one that does not start with the run's options
   */
  static async open(path: string, deps: AppendedFileDeps): Promise<Ledger> {
    const contents = new Contents();
    const journal = await Journal.open<LedgerEntry>(path, (entry) => contents.add(entry), deps);
    if (contents.created === undefined)
      throw new CorruptError('corrupt-journal', `${path} lacks its first record, the options of the run`);
    return new Ledger(journal, contents);
  }

  /** The first entry. */
  get created(): Extract<LedgerEntry, { type: 'created' }> {
    // `open` guarantees the first entry.
    return this.#contents.created!;
  }

  get state(): RunState {
    return this.#contents.ended?.state ?? (this.#contents.sealedAt === null ? 'open' : 'sealed');
  }

  /** Milliseconds since 1970; `null` for an open run. */
  get sealedAt(): number | null {
    return this.#contents.sealedAt;
  }

  /** How the run ended; `null` for an active one. */
  get ended(): Extract<LedgerEntry, { type: 'ended' }> | null {
    return this.#contents.ended;
  }

  /** When the run ended or was imported, whichever is later, in milliseconds since 1970; `null` for an active run. */
  get keptFrom(): number | null {
    const { ended, importedAt } = this.#contents;
    return ended === null ? null : Math.max(ended.at, importedAt);
  }

  /** Size of its file. */
  get bytes(): number {
    return this.#journal.bytes;
  }

  /** True when the run has ended and its Redis keys are deleted. */
  get isForgotten(): boolean {
    return this.#contents.isForgotten;
  }

  /** Model of all results, known from the first one on: floats per vector, fingerprint, and revision of the treatment. */
  get model(): { dim: number; fingerprint: string; treatment: number } | null {
    return this.#contents.model;
  }

  /** `computedWith` of all results; `undefined` before the first one. */
  get computedWith(): string | undefined {
    const { model } = this.#contents;
    return model === null ? undefined : computedWith(model.fingerprint, model.treatment);
  }

  /** All batches, indexed by number. */
  get batches(): readonly LedgerBatch[] {
    return this.#contents.batches;
  }

  /** Receipts of the complete parts, by part number. */
  get receipts(): ReadonlyMap<number, PartReceipt> {
    return this.#contents.receipts;
  }

  /** Numbers of the batches of each part, in the order of their rows. */
  get batchesOfPart(): ReadonlyMap<number, readonly number[]> {
    return this.#contents.batchesOfPart;
  }

  /** Numbers of the batches whose part was dropped: they have no rows in the output. */
  get droppedBatches(): ReadonlySet<number> {
    return this.#contents.droppedBatches;
  }

  /** Number of batches that belong to the run. */
  get keptBatches(): number {
    return this.batches.length - this.droppedBatches.size;
  }

  /** Rows being embedded again, by batch; their old results stay stored until the new ones replace them. */
  get retries(): ReadonlyMap<number, readonly number[]> {
    return this.#contents.retries;
  }

  /** End of the last batch in the row log, in bytes. */
  get rowBytes(): number {
    return this.#contents.rowBytes;
  }

  /** Rows in batches, including those rejected on input that keep their position. */
  get acceptedRows(): number {
    return this.#contents.acceptedRows;
  }

  /** Rows rejected on input that are in no batch. */
  get rejectedRows(): number {
    return this.#contents.rejectedRows;
  }

  /** Appends entries; when it resolves, they are on disk and in memory. */
  async append(entries: readonly LedgerEntry[]): Promise<void> {
    await this.#journal.append(entries);
    for (const entry of entries) this.#contents.add(entry);
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }
}

/** State after all entries so far. */
class Contents {
  created: Extract<LedgerEntry, { type: 'created' }> | undefined;
  sealedAt: number | null = null;
  ended: Extract<LedgerEntry, { type: 'ended' }> | null = null;
  isForgotten = false;
  importedAt = 0;
  model: { dim: number; fingerprint: string; treatment: number } | null = null;
  rowBytes = 0;
  acceptedRows = 0;
  rejectedRows = 0;
  readonly batches: LedgerBatch[] = [];
  readonly receipts = new Map<number, PartReceipt>();
  readonly batchesOfPart = new Map<number, number[]>();
  readonly droppedBatches = new Set<number>();
  readonly retries = new Map<number, readonly number[]>();

  add(entry: LedgerEntry): void {
    switch (entry.type) {
      case 'created':
        // Ledgers written before text treatment existed lack these options.
        this.created = { ...entry, options: { ...UNTREATED, ...entry.options } };
        break;
      case 'batch': {
        const numbers = this.batchesOfPart.get(entry.batch.part) ?? [];
        numbers.push(this.batches.length);
        this.batchesOfPart.set(entry.batch.part, numbers);
        this.batches.push(entry.batch);
        this.acceptedRows += entry.batch.rows;
        this.rowBytes = entry.batch.span.offset + entry.batch.span.bytes;
        break;
      }
      case 'part':
        this.receipts.set(entry.receipt.part, entry.receipt);
        this.rejectedRows += entry.receipt.rejectedCount;
        break;
      case 'dropped':
        for (const batch of this.batchesOfPart.get(entry.part) ?? []) {
          this.droppedBatches.add(batch);
          this.acceptedRows -= this.batches[batch]!.rows;
        }
        this.batchesOfPart.delete(entry.part);
        break;
      case 'model':
        this.model = {
          dim: entry.dim,
          fingerprint: entry.fingerprint,
          treatment: entry.treatment ?? UNSTATED_REVISION,
        };
        break;
      case 'sealed':
        this.sealedAt = entry.at;
        break;
      case 'retry':
        for (const [batch, rows] of entry.rows) this.retries.set(batch, rows);
        this.ended = null;
        this.isForgotten = false;
        break;
      case 'retried':
        for (const batch of entry.batches) this.retries.delete(batch);
        break;
      case 'ended':
        this.ended = entry;
        break;
      case 'forgotten':
        this.isForgotten = this.ended !== null;
        break;
      case 'imported':
        this.importedAt = entry.at;
        break;
    }
  }
}
