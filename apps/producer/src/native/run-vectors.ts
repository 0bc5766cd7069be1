/** Caches the vectors of recently searched runs in memory, within a limit. */

import type { VectorRows } from '@embedmill/contract';
import { type Hit, searchRows } from '@embedmill/core/formats';
import { type Run, readResults, resultsShape } from '@embedmill/core/runs';

/** A cached run. */
interface CachedRun {
  /** When the run ended: a retry ends it again, with other vectors. */
  endedAt: string | null;
  bytes: number;
  slices: Promise<readonly VectorRows[]>;
}

/** Memory per row besides its vector: its id and its entries in arrays. */
const BYTES_BESIDE_VECTOR = 64;

/**
 * Evicts the least recently searched run first. A run larger than the limit is read from its files for each
 * search, one batch at a time.
 */
export class RunVectors {
  readonly #limitBytes: number;
  /** Least recently used first: a Map iterates in insertion order. */
  readonly #cached = new Map<string, CachedRun>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Estimated bytes of all runs that are cached or being read. */
  get usedBytes(): number {
    return [...this.#cached.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Returns the `count` rows nearest to the query, nearest first.
   * @throws {RequestError} `wrong-dimension`
   * @throws {CorruptError} when a file of the run is damaged
   */
  async search(run: Run, query: Float32Array, count: number): Promise<readonly Hit[]> {
    const { rows, dim } = resultsShape(run);
    const bytes = rows * (dim * 4 + BYTES_BESIDE_VECTOR);
    if (bytes > this.#limitBytes) return await searchRows(readResults(run), query, count);
    return await searchRows(await this.#read(run, bytes), query, count);
  }

  #read(run: Run, bytes: number): Promise<readonly VectorRows[]> {
    const { endedAt } = run.info();
    const known = this.#cached.get(run.id);
    this.#cached.delete(run.id);
    if (known?.endedAt === endedAt) {
      this.#cached.set(run.id, known);
      return known.slices;
    }
    for (const oldest of this.#cached.keys()) {
      if (this.usedBytes + bytes <= this.#limitBytes) break;
      this.#cached.delete(oldest);
    }
    const cached = { endedAt, bytes, slices: readAll(run) };
    this.#cached.set(run.id, cached);
    // The next search reads it again.
    cached.slices.catch(() => {
      if (this.#cached.get(run.id) === cached) this.#cached.delete(run.id);
    });
    return cached.slices;
  }
}

async function readAll(run: Run): Promise<readonly VectorRows[]> {
  const slices: VectorRows[] = [];
  for await (const slice of readResults(run)) slices.push(slice);
  return slices;
}
