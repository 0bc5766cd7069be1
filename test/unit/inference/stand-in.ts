/**
 * Pools on the stand-in engine of `test/fixtures/engines`, and the memory that the engine shares with a test.
 */

import { type BatchResult, decodeBatchResult, encodeBatchPayload } from '@embedmill/core/batch';
import { type InferenceEvent, InferencePool, type InferencePoolOptions } from '@embedmill/worker/inference';
import { onTestFinished } from 'vitest';

export const STAND_IN_URL = new URL('../../fixtures/engines/stand-in.mjs', import.meta.url);
export const DIM = 3;

/** Signals from the engine to the test, and the gate that the test opens for the engine. */
export class EngineSignals {
  readonly shared = new SharedArrayBuffer(4 * 4096);
  readonly #cells = new Int32Array(this.shared);

  /** Lets every text that waits at the gate, or comes to it later, go on. */
  openGate(): void {
    Atomics.store(this.#cells, 0, 1);
    Atomics.notify(this.#cells, 0);
  }

  /** Texts that have come to the gate so far. */
  get atGate(): number {
    return Atomics.load(this.#cells, 1);
  }

  get opened(): number {
    return Atomics.load(this.#cells, 2);
  }

  get closed(): number {
    return Atomics.load(this.#cells, 3);
  }

  /** Numbers of the texts in the order in which engines began them. */
  get log(): number[] {
    return [...this.#cells.subarray(6, 6 + Atomics.load(this.#cells, 4))];
  }
}

export interface StandInOptions extends Partial<InferencePoolOptions> {
  /** Openings before the engine says that its model is missing. */
  maxOpens?: number;
  /** Rows that the engine computes together. Default 0: it computes each row alone. */
  packRows?: number;
  /** Heap that the model states to need, in MB. */
  heapMb?: number;
}

/** Creates a pool that is not started, with its events and signals; the pool stops after the test. */
export function standInPool({ maxOpens, packRows = 0, heapMb = 0, ...options }: StandInOptions = {}) {
  const signals = new EngineSignals();
  const events: InferenceEvent[] = [];
  const pool = new InferencePool({
    threads: 1,
    engineUrl: STAND_IN_URL,
    prepare: () => ({
      dim: DIM,
      shared: signals.shared,
      packRows,
      heapMb,
      ...(maxOpens === undefined ? {} : { maxOpens }),
    }),
    restartDelayMs: 1,
    terminateAfterMs: 50,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(async () => {
    signals.openGate();
    await pool.stop({ deadlineMs: 100 });
  });
  const count = (kind: InferenceEvent['kind']) => events.filter((event) => event.kind === kind).length;
  return { pool, signals, events, count };
}

/** Like `standInPool`, but started. */
export async function startedPool(options: StandInOptions = {}) {
  const made = standInPool(options);
  await made.pool.start();
  return made;
}

/** Embeds texts as a bulk batch. */
export async function embedBulk(
  pool: InferencePool,
  texts: readonly string[],
  batch = 0,
): Promise<BatchResult> {
  const payload = encodeBatchPayload(texts);
  return decodeBatchResult(await pool.embedBatch({ payload, batch, precision: 'int8', truncate: 'end' }));
}

/** Returns the texts `#from` to `#to`, inclusive. */
export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `text #${from + index}`);
}

/** Returns the vector of row `row`. */
export function vectorOf({ vectors, dim }: BatchResult, row: number): number[] {
  return [...vectors.subarray(row * dim, (row + 1) * dim)];
}
