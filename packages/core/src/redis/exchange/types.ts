/** The port to what producers, workers and collectors exchange through Redis: payloads, results and the ready stream. */

import type { BatchSummary } from '@embedmill/contract';

/** `duplicate`: another delivery was first, nothing changed. `gone`: the run is cancelled or deleted, nothing was kept. */
export type CommitOutcome = 'committed' | 'duplicate' | 'gone';

/** What a worker finds when it opens a batch; `lost`: neither done nor there, the producer has been told. */
export type TakenPayload =
  | { status: 'taken'; payload: Uint8Array<ArrayBuffer> }
  | { status: 'duplicate' | 'gone' | 'lost' };

/** One entry of the ready stream. */
export interface ReadyBatch {
  /** Position in the stream, to continue from and to acknowledge. */
  entry: string;
  run: string;
  batch: number;
  /** `null`: a worker found no payload; the producer must enqueue the batch again. */
  summary: BatchSummary | null;
}

/** Where a batch is, as far as Redis knows. */
export type BatchPresence = 'waiting' | 'ready' | 'absent';

/** What earlier workers left about a batch that they did not survive. */
export interface Trials {
  /** Times that a worker began to try its rows one by one, this one included. */
  begun: number;
  /** Processes that ended while they tried a row, by row. */
  deaths: ReadonlyMap<number, number>;
}

/** Used by the worker. */
export interface WorkerExchange {
  /** The content of a glossary; `null` when Redis does not have it. */
  readGlossary(id: string): Promise<Uint8Array | null>;
  /** The texts of a batch. */
  takePayload(run: string, batch: number, dataDirId: string): Promise<TakenPayload>;
  /** Removes a payload that cannot be read; the next one to take it finds it lost. */
  dropPayload(run: string, batch: number): Promise<void>;
  /**
   * One atomic step: result kept, done bit set, ready entry added, payload removed. A second delivery changes nothing.
   * Rejects with a Redis fault when Redis is away or full; the same call may then be made again.
   */
  commit(
    run: string,
    batch: number,
    dataDirId: string,
    result: Uint8Array,
    summary: BatchSummary,
  ): Promise<CommitOutcome>;
  /** Begins to try the rows of a batch one by one: a row that was marked is counted as the death of the one who marked it. */
  beginTrials(run: string, batch: number): Promise<Trials>;
  /** Says which row is tried now, so that it is known should the process die of it; `null`: none. */
  markTrial(run: string, batch: number, row: number | null): Promise<void>;
}

/** Used by the producer and its collector. */
export interface ProducerExchange {
  /** Keeps a glossary for some weeks more; false when it is not there and must be put. */
  renewGlossary(id: string): Promise<boolean>;
  /** Keeps the content of a glossary. */
  putGlossary(id: string, content: Uint8Array): Promise<void>;
  /** Makes a run known to workers; again changes nothing. */
  openRun(run: string): Promise<void>;
  /** Keeps payloads until their batches are done. */
  putPayloads(run: string, batches: readonly { batch: number; payload: Uint8Array }[]): Promise<void>;
  /** Entries after `after` (a stream position, `0` for all), waiting up to `blockMs` for the first. */
  readReady(dataDirId: string, after: string, most: number, blockMs: number): Promise<ReadyBatch[]>;
  /** Results by batch, `null` where there is none. */
  fetchResults(run: string, batches: readonly number[]): Promise<(Uint8Array | null)[]>;
  /** Forgets results that are safe on disk. */
  acknowledge(
    dataDirId: string,
    batches: readonly Pick<ReadyBatch, 'entry' | 'run' | 'batch'>[],
  ): Promise<void>;
  /** Forgets entries whose batches will be announced again. */
  forgetEntries(dataDirId: string, entries: readonly string[]): Promise<void>;
  /** Takes a done batch back to not done (its result is lost or corrupt), so that it may be enqueued again. */
  reopenBatch(run: string, batch: number): Promise<void>;
  /** Where these batches are. */
  presence(run: string, batches: readonly number[]): Promise<BatchPresence[]>;
  /** Forgets a run and these of its batches; workers then drop what they still hold of it. */
  closeRun(run: string, batches: readonly number[]): Promise<void>;
  /** Resolves when Redis answers. */
  ping(): Promise<void>;
}
