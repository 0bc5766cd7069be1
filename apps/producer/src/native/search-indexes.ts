/** Keeps the vectors and word indexes of recently searched runs in memory, within one limit. */

import { setImmediate } from 'node:timers/promises';
import { PackedVectors, type ScoredRow, TermSplitter, WordIndex } from '@embedmill/analysis';
import type { VectorRows } from '@embedmill/contract';
import { dotRow, searchRows } from '@embedmill/core/formats';
import { type Config, memoryLimitBytes } from '@embedmill/core/process';
import { type Run, readResults, readRowsSent, readRowVectors, resultsShape } from '@embedmill/core/runs';

/** Vectors or words of one run. */
interface Cached<Index> {
  /** When the run ended: a retry ends it again, with other vectors. */
  readonly endedAt: string | null;
  /** What it takes in memory; words take more while they are read. */
  bytes: number;
  /** `null` once there turned out to be no room: the files are read for each search. */
  index: Promise<Index | null>;
}

/** Which rows a search may return, and how many. */
export interface RowSearchOptions {
  count: number;
  /** 1 for each row that may be found; `null`: all rows. */
  mask: Uint8Array | null;
}

/** The rows with words of a query. */
export interface WordHits {
  rows: readonly ScoredRow[];
  /** The terms of the query that are worth showing. */
  terms: ReadonlySet<string>;
}

/** Part of the memory limit that searches take by default, and its bounds. */
const DEFAULT_PART = 1 / 8;
const MIN_DEFAULT_BYTES = 128 * 1024 * 1024;
const MAX_DEFAULT_BYTES = 2048 * 1024 * 1024;

/** Characters of texts that are indexed between two turns of other work: a few milliseconds. */
const SLICE_CHARS = 65_536;

/** The configured memory of searches, or an eighth of the memory limit of this process (cgroup or machine). */
export function searchMemoryBytes({ searchMemoryBytes }: Pick<Config, 'searchMemoryBytes'>): number {
  return (
    searchMemoryBytes ??
    Math.min(MAX_DEFAULT_BYTES, Math.max(MIN_DEFAULT_BYTES, memoryLimitBytes() * DEFAULT_PART))
  );
}

/**
 * Evicts the least recently searched first. Vectors and words that are larger than the limit are read from the files of
 * their run for each search, one batch at a time. All work is done in steps of a few milliseconds, between which other
 * requests are served.
 */
export class SearchIndexes {
  readonly #limitBytes: number;
  readonly #splitter = new TermSplitter();
  /** By kind and run id. Least recently used first: a Map iterates in insertion order. */
  readonly #cached = new Map<string, Cached<PackedVectors | WordIndex>>();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Estimated bytes of all that is cached or being read. */
  get usedBytes(): number {
    return [...this.#cached.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Frees the memory of a run. */
  release(id: string): void {
    for (const kind of ['vectors', 'words']) this.#cached.delete(`${kind} ${id}`);
  }

  /**
   * Returns the rows nearest to the query, nearest first, with exact scores.
   * @throws {RequestError} `wrong-dimension`
   * @throws {CorruptError} when a file of the run is damaged
   */
  async nearest(run: Run, query: Float32Array, options: RowSearchOptions): Promise<readonly ScoredRow[]> {
    const { candidates, isExact } = await this.#candidates(run, query, options);
    if (isExact) return candidates;
    const vectors = await readRowVectors(
      run,
      candidates.map(({ row }) => row),
    );
    return [...vectors]
      .map(([row, vector]) => ({ row, score: dotRow(query, vector, 0) }))
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, options.count);
  }

  /**
   * Returns the rows nearest to the query, nearest first, with scores to within 0.001: for ranks, without reading files.
   * @throws as {@link nearest}
   */
  async nearly(run: Run, query: Float32Array, options: RowSearchOptions): Promise<readonly ScoredRow[]> {
    return (await this.#candidates(run, query, options)).candidates.slice(0, options.count);
  }

  async #candidates(run: Run, query: Float32Array, { count, mask }: RowSearchOptions) {
    const { rows, dim } = resultsShape(run);
    const bytes = PackedVectors.bytesOf(rows, dim);
    const packed =
      bytes > this.#limitBytes || query.length !== dim
        ? null
        : await this.#cachedOf<PackedVectors>(run, 'vectors', bytes, (cached) => packVectors(run, cached));
    if (packed !== null)
      return { candidates: await inSteps(packed.nearest(query, count, mask)), isExact: false };
    const hits = await searchRows(masked(readResults(run), mask), query, count);
    return { candidates: hits.map(({ row, score }) => ({ row, score })), isExact: true };
  }

  /**
   * Returns the rows with words of the query, best first by BM25.
   * @throws {CorruptError} when a file of the run is damaged
   */
  async withWords(run: Run, query: string, options: RowSearchOptions): Promise<WordHits> {
    const index =
      (await this.#cachedOf<WordIndex>(run, 'words', 0, (cached) => this.#indexWords(run, cached))) ??
      (await readWords(run, new WordIndex(new Set(this.#splitter.distinct(query))), () => true))!;
    return { rows: await inSteps(index.search(query, options)), terms: index.tellingTerms(query) };
  }

  /** Reads all words of a run, while they fit into the limit. */
  async #indexWords(run: Run, cached: Cached<WordIndex>): Promise<WordIndex | null> {
    const index = new WordIndex();
    const whole = await readWords(run, index, () => {
      cached.bytes = index.bytes;
      this.#makeRoom(cached, `vectors ${run.id}`);
      return Math.max(cached.bytes, this.usedBytes) <= this.#limitBytes;
    });
    cached.bytes = whole?.bytes ?? 0;
    return whole;
  }

  /** What is cached, or else read by `read`, which concurrent searches share. */
  async #cachedOf<Index extends PackedVectors | WordIndex>(
    run: Run,
    kind: 'vectors' | 'words',
    bytes: number,
    read: (cached: Cached<Index>) => Promise<Index | null>,
  ): Promise<Index | null> {
    const key = `${kind} ${run.id}`;
    const { endedAt } = run.info();
    const known = this.#cached.get(key) as Cached<Index> | undefined;
    this.#cached.delete(key);
    if (known?.endedAt === endedAt) {
      this.#cached.set(key, known);
      return await known.index;
    }
    const cached: Cached<Index> = { endedAt, bytes, index: Promise.resolve(null) };
    this.#cached.set(key, cached);
    this.#makeRoom(cached);
    cached.index = read(cached);
    // The next search reads it again.
    cached.index.catch(() => {
      if (this.#cached.get(key) === cached) this.#cached.delete(key);
    });
    return await cached.index;
  }

  /**
   * Evicts until everything fits, but never what is being read for this search.
   * @param key also not evicted: words do not evict the vectors of their run, or they would take turns
   */
  #makeRoom(kept: Cached<PackedVectors | WordIndex>, key?: string): void {
    for (const [each, cached] of this.#cached) {
      if (this.usedBytes <= this.#limitBytes) return;
      if (cached !== kept && each !== key) this.#cached.delete(each);
    }
  }
}

/** The vectors of a run; `null` if the machine has no room for them. */
async function packVectors(run: Run, cached: Cached<PackedVectors>): Promise<PackedVectors | null> {
  const { rows, dim } = resultsShape(run);
  let packed: PackedVectors;
  try {
    packed = new PackedVectors(rows, dim);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    cached.bytes = 0;
    return null;
  }
  for await (const slice of readResults(run)) packed.add(slice);
  return packed;
}

/** Adds the texts of a run; `null` as soon as `goesOn` returns false, which is called after each slice. */
async function readWords(run: Run, index: WordIndex, goesOn: () => boolean): Promise<WordIndex | null> {
  let chars = 0;
  for await (const rows of readRowsSent(run)) {
    for (const { text } of rows) {
      index.add(text);
      chars += text?.length ?? 0;
      if (chars < SLICE_CHARS) continue;
      if (!goesOn()) return null;
      chars = 0;
      await setImmediate();
    }
  }
  return goesOn() ? index : null;
}

/** Rows outside of the mask count as rows without a vector. */
async function* masked(
  slices: AsyncIterable<VectorRows>,
  mask: Uint8Array | null,
): AsyncGenerator<VectorRows> {
  let firstRow = 0;
  for await (const slice of slices) {
    const present = mask === null ? slice.present : slice.present.map((has, n) => has & mask[firstRow + n]!);
    yield { ...slice, present };
    firstRow += slice.ids.length;
  }
}

/** Runs steps to the end, with other work between them. */
async function inSteps<Result>(steps: Generator<number, Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await setImmediate();
  }
}
