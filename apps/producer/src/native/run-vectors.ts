/** The vectors of runs that were searched lately, in memory within a limit; the search route scans them. */

import type { VectorRows } from '@embedmill/contract';
import { type Hit, searchRows } from '@embedmill/core/formats';
import { type Run, readResults, resultsShape } from '@embedmill/core/runs';

/** One run in memory. */
interface Kept {
  /** When the run ended: a retry ends it anew, with other vectors. */
  endedAt: string | null;
  bytes: number;
  slices: Promise<readonly VectorRows[]>;
}

/** What a row takes besides its vector: its id and its place in arrays. */
const BYTES_BESIDE_VECTOR = 64;

/**
 * The run that was asked longest ago goes first. A run that is larger than the whole limit is read from its files each time,
 * a batch at a time.
 */
export class RunVectors {
  readonly #limitBytes: number;
  /** In the order of use: a Map keeps the order in which keys were set. */
  readonly #kept = new Map<string, Kept>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of all runs that are in memory or on their way there. */
  get usedBytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * The `count` rows nearest to the query.
   * @throws {RequestError} `wrong-dimension`
   * @throws {CorruptError} when a file of the run is damaged
   */
  async search(run: Run, query: Float32Array, count: number): Promise<readonly Hit[]> {
    const { rows, dim } = resultsShape(run);
    const bytes = rows * (dim * 4 + BYTES_BESIDE_VECTOR);
    if (bytes > this.#limitBytes) return await searchRows(readResults(run), query, count);
    return await searchRows(await this.#keep(run, bytes), query, count);
  }

  #keep(run: Run, bytes: number): Promise<readonly VectorRows[]> {
    const { endedAt } = run.info();
    const known = this.#kept.get(run.id);
    this.#kept.delete(run.id);
    if (known?.endedAt === endedAt) {
      this.#kept.set(run.id, known);
      return known.slices;
    }
    for (const oldest of this.#kept.keys()) {
      if (this.usedBytes + bytes <= this.#limitBytes) break;
      this.#kept.delete(oldest);
    }
    const kept = { endedAt, bytes, slices: readAll(run) };
    this.#kept.set(run.id, kept);
    // What could not be read is read again by the next search.
    kept.slices.catch(() => {
      if (this.#kept.get(run.id) === kept) this.#kept.delete(run.id);
    });
    return kept.slices;
  }
}

async function readAll(run: Run): Promise<readonly VectorRows[]> {
  const slices: VectorRows[] = [];
  for await (const slice of readResults(run)) slices.push(slice);
  return slices;
}
