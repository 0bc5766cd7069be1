/** The ports through which producers and workers exchange payloads and results. */

import type { BatchSummary } from '@embedmill/contract';

/**
 * `duplicate`: another delivery was first, nothing changed. `gone`: the run has ended, nothing was written.
 */
export type CommitOutcome = 'committed' | 'duplicate' | 'gone';

/**
 * What a worker finds when it takes a batch. `duplicate`: it is done. `gone`: its run has ended. `lost`: it
 * is not done and its payload is missing; the producer has been notified. `other-model`: the run has vectors of another model or treatment.
 */
export type TakenPayload =
  | { status: 'taken'; payload: Uint8Array<ArrayBuffer> }
  | { status: 'duplicate' | 'gone' | 'lost' }
  /** `fingerprint`: the model of the vectors that the run has. */
  | { status: 'other-model'; fingerprint: string };

/** One entry of the ready stream. */
export interface ReadyBatch {
  /** Id of the stream entry: where to continue reading, and what to acknowledge. */
  entry: string;
  run: string;
  batch: number;
  /** `null` when a worker found no payload, and when the producer announced a result whose entry was lost. */
  summary: BatchSummary | null;
}

/** What Redis has of a batch: its payload, its result or neither. */
export type BatchPresence = 'waiting' | 'ready' | 'absent';

/** What earlier workers recorded about a batch that crashed them. */
export interface ProbeHistory {
  /** Number of processes that died after they began and before they marked a row. */
  unexplained: number;
  /** Number of processes that died while they probed a row, by 0-based row. */
  deaths: ReadonlyMap<number, number>;
}

/** The worker's side. */
export interface WorkerExchange {
  /** Content of a glossary; `null` when it is not in Redis. */
  readGlossary(id: string): Promise<Uint8Array | null>;
  /**
   * The payload of a batch, as `encodeBatchPayload` wrote it.
   * @param computedWith `computedWith` of the worker; without it, batches of a run with another model are taken too
   */
  takePayload(run: string, batch: number, dataDirId: string, computedWith?: string): Promise<TakenPayload>;
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
   * Begins to probe the rows of a batch one by one. The mark of another worker counts as a death if that process is no
   * longer connected to Redis; a worker that is only slow, or whose machine stood still, is not dead.
   */
  beginProbe(run: string, batch: number, worker: string): Promise<ProbeHistory>;
  /** Marks the row (0-based) that this worker probes now, so that it is known if the process dies. */
  markProbedRow(run: string, batch: number, worker: string, row: number): Promise<void>;
  /** Removes this worker's mark: it lives, and gives the batch back. */
  endProbe(run: string, batch: number, worker: string): Promise<void>;
}

/** The producer's side, with its collector. */
export interface ProducerExchange {
  /** Extends the glossary's TTL; false when it is missing and must be written. */
  renewGlossary(id: string): Promise<boolean>;
  /** Writes the content of a glossary. */
  putGlossary(id: string, content: Uint8Array): Promise<void>;
  /**
   * Makes a run known to workers. Idempotent.
   * @param computedWith `computedWith` of its first result; other workers then leave its batches alone
   */
  openRun(run: string, computedWith?: string): Promise<void>;
  /** Writes payloads, which are deleted when their batches are done; the batches count as not done. */
  putPayloads(run: string, batches: readonly { batch: number; payload: Uint8Array }[]): Promise<void>;
  /**
   * Up to `maxEntries` entries after `after` (an entry id, `0` for all), waiting up to `blockMs` for the
   * first; 0: does not wait.
   */
  readReady(dataDirId: string, after: string, maxEntries: number, blockMs: number): Promise<ReadyBatch[]>;
  /**
   * Encoded results in the order of `batches`, `null` for each that is missing; the first ones with up to `maxBytes` in total,
   * and at least one. Read in slices of about 1 MB.
   */
  fetchResults(run: string, batches: readonly number[], maxBytes?: number): Promise<(Uint8Array | null)[]>;
  /** Deletes results that are stored on disk, their entries, and what else is left of their batches. */
  acknowledge(
    dataDirId: string,
    batches: readonly Pick<ReadyBatch, 'entry' | 'run' | 'batch'>[],
  ): Promise<void>;
  /** Deletes entries whose batches will be announced again. */
  deleteEntries(dataDirId: string, entries: readonly string[]): Promise<void>;
  /** Resets a done batch whose result is lost or corrupt to not done, so that it can be enqueued again. */
  reopenBatch(run: string, batch: number): Promise<void>;
  /** What Redis has of these batches, in their order; renews the TTL of their keys. */
  presence(run: string, batches: readonly number[]): Promise<BatchPresence[]>;
  /** Those of these batches, whose results are in Redis, that have no entry in the ready stream; renews its TTL. */
  findUnannounced(
    dataDirId: string,
    batches: readonly { run: string; batch: number }[],
  ): Promise<{ run: string; batch: number }[]>;
  /** Adds entries without a summary for batches whose results are in Redis. */
  announce(dataDirId: string, batches: readonly { run: string; batch: number }[]): Promise<void>;
  /** Deletes the keys of a run and of these batches; late commits of its batches are then discarded. */
  closeRun(run: string, batches: readonly number[]): Promise<void>;
}
