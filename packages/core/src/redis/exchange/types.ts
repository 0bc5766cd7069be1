/** The ports through which producers and workers exchange payloads and results. */

import type { BatchSummary } from '@embedmill/contract';

/**
 * `duplicate`: another delivery was first, nothing changed. `gone`: the run has ended, nothing was written.
 */
export type CommitOutcome = 'committed' | 'duplicate' | 'gone';

/**
 * What a worker finds when it takes a batch. `duplicate`: it is done. `gone`: its run has ended. `lost`: it
 * is not done and its payload is missing; the producer has been notified.
 */
export type TakenPayload =
  | { status: 'taken'; payload: Uint8Array<ArrayBuffer> }
  | { status: 'duplicate' | 'gone' | 'lost' };

/** One entry of the ready stream. */
export interface ReadyBatch {
  /** Id of the stream entry: where to continue reading, and what to acknowledge. */
  entry: string;
  run: string;
  batch: number;
  /** `null` when a worker found no payload; the producer must enqueue the batch again. */
  summary: BatchSummary | null;
}

/** What Redis has of a batch: its payload, its result or neither. */
export type BatchPresence = 'waiting' | 'ready' | 'absent';

/** What earlier workers recorded about a batch that crashed them. */
export interface ProbeHistory {
  /** How often a worker began to probe the rows, including this time. */
  begun: number;
  /** Number of processes that died while they probed a row, by 0-based row. */
  deaths: ReadonlyMap<number, number>;
}

/** The worker's side. */
export interface WorkerExchange {
  /** Content of a glossary; `null` when it is not in Redis. */
  readGlossary(id: string): Promise<Uint8Array | null>;
  /** The payload of a batch, as `encodeBatchPayload` wrote it. */
  takePayload(run: string, batch: number, dataDirId: string): Promise<TakenPayload>;
  /** Deletes an unreadable payload; the next worker to take the batch finds it lost. */
  dropPayload(run: string, batch: number): Promise<void>;
  /**
   * One atomic step: writes the result, sets the done bit, adds the ready entry, deletes the payload. A
   * second delivery has no effect. Rejects with a Redis fault while Redis is unreachable or full; the call
   * can then be repeated.
   */
  commit(
    run: string,
    batch: number,
    dataDirId: string,
    result: Uint8Array,
    summary: BatchSummary,
  ): Promise<CommitOutcome>;
  /**
   * Begins to probe the rows of a batch one by one: a row that is still marked counts as the death of its
   * process.
   */
  beginProbe(run: string, batch: number): Promise<ProbeHistory>;
  /** Marks the row (0-based) that is probed now, so that it is known if the process dies; `null`: none. */
  markProbedRow(run: string, batch: number, row: number | null): Promise<void>;
}

/** The producer's side, with its collector. */
export interface ProducerExchange {
  /** Extends the glossary's TTL; false when it is missing and must be written. */
  renewGlossary(id: string): Promise<boolean>;
  /** Writes the content of a glossary. */
  putGlossary(id: string, content: Uint8Array): Promise<void>;
  /** Makes a run known to workers. Idempotent. */
  openRun(run: string): Promise<void>;
  /** Writes payloads, which are deleted when their batches are done; the batches count as not done. */
  putPayloads(run: string, batches: readonly { batch: number; payload: Uint8Array }[]): Promise<void>;
  /**
   * Up to `maxEntries` entries after `after` (an entry id, `0` for all), waiting up to `blockMs` for the
   * first.
   */
  readReady(dataDirId: string, after: string, maxEntries: number, blockMs: number): Promise<ReadyBatch[]>;
  /** Encoded results in the order of `batches`, `null` for each that is missing. */
  fetchResults(run: string, batches: readonly number[]): Promise<(Uint8Array | null)[]>;
  /** Deletes results that are stored on disk, and their entries. */
  acknowledge(
    dataDirId: string,
    batches: readonly Pick<ReadyBatch, 'entry' | 'run' | 'batch'>[],
  ): Promise<void>;
  /** Deletes entries whose batches will be announced again. */
  deleteEntries(dataDirId: string, entries: readonly string[]): Promise<void>;
  /** Resets a done batch whose result is lost or corrupt to not done, so that it can be enqueued again. */
  reopenBatch(run: string, batch: number): Promise<void>;
  /** What Redis has of these batches, in their order. */
  presence(run: string, batches: readonly number[]): Promise<BatchPresence[]>;
  /** Deletes the keys of a run and of these batches; late commits of its batches are then discarded. */
  closeRun(run: string, batches: readonly number[]): Promise<void>;
  /** Resolves when Redis responds. */
  ping(): Promise<void>;
}
