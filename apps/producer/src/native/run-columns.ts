/** The columns of completed runs: descriptions, values and row masks, cached in memory within a limit. */

import {
  type ColumnCondition,
  type ColumnSource,
  quote,
  RequestError,
  type RunColumn,
} from '@embedmill/contract';
import {
  applyCondition,
  type DescribedColumn,
  describeColumns,
  type PackedColumn,
  packedBytes,
  type Run,
  readColumns,
  resultsShape,
} from '@embedmill/core/runs';

/** Which rows of a run are wanted. */
export interface RowFilter {
  /** Conditions by column name; all must hold. */
  columns?: Readonly<Record<string, ColumnCondition>> | undefined;
}

/** Memory of a description besides the characters of its values. */
const DESCRIPTION_BYTES = 512;

interface DescribedRun {
  /** When the run ended: a retry ends it again, with other verdicts. */
  endedAt: string | null;
  columns: Promise<readonly DescribedColumn[]>;
  /** Of the descriptions; 0 while they are read. */
  bytes: number;
  /** Values by position in `columns`, least recently used first. */
  packed: Map<number, { bytes: number; values: Promise<PackedColumn> }>;
}

/** A described column and its values. */
export interface ColumnOfRun {
  column: DescribedColumn;
  values: PackedColumn;
}

/** Evicts the least recently used run first. The caller holds the runs that it passes. */
export class RunColumns {
  readonly #limitBytes: number;
  /** Least recently used first: a Map iterates in insertion order. */
  readonly #runs = new Map<string, DescribedRun>();

  /** @param limitBytes of what is cached; a larger column is read for each call */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes of all cached descriptions and values. */
  get usedBytes(): number {
    let bytes = 0;
    for (const run of this.#runs.values()) {
      bytes += run.bytes;
      for (const column of run.packed.values()) bytes += column.bytes;
    }
    return bytes;
  }

  /**
   * The columns of a completed run; those of the run itself come last.
   * @throws {CorruptError} when a file of the run is damaged
   */
  async columnsOf(run: Run): Promise<readonly DescribedColumn[]> {
    return await this.#described(run).columns;
  }

  /**
   * One column with its values.
   * @param source default: a column of the input comes before one of the run
   * @throws {RequestError} `unknown-column`; `column-is-text` for a column without values to compare
   */
  async column(run: Run, name: string, source?: ColumnSource): Promise<ColumnOfRun> {
    const described = this.#described(run);
    const all = await described.columns;
    const number = numberOf(all, name, source);
    const [values] = await this.#values(run, described, [number]);
    return { column: all[number]!, values: values! };
  }

  /**
   * One byte per row, 1 for those that match the filter; `null` if the filter has no conditions.
   * @throws {RequestError} `unknown-column`, `column-is-text`, `invalid-filter`
   */
  async matchingRows(run: Run, { columns: conditions = {} }: RowFilter): Promise<Uint8Array | null> {
    const given = Object.entries(conditions);
    if (given.length === 0) return null;
    const described = this.#described(run);
    const all = await described.columns;
    const numbers = given.map(([name]) => numberOf(all, name));
    const values = await this.#values(run, described, numbers);
    const mask = new Uint8Array(resultsShape(run).rows).fill(1);
    for (const [i, [, condition]] of given.entries())
      applyCondition(mask, all[numbers[i]!]!, values[i]!, condition);
    return mask;
  }

  #described(run: Run): DescribedRun {
    const { endedAt } = run.info();
    const known = this.#runs.get(run.id);
    this.#runs.delete(run.id);
    const described: DescribedRun =
      known?.endedAt === endedAt
        ? known
        : { endedAt, columns: describeColumns(run), bytes: 0, packed: new Map() };
    this.#runs.set(run.id, described);
    if (described !== known) {
      described.columns.then(
        (columns) => {
          described.bytes = bytesOf(columns);
          this.#evict();
        },
        // The next call reads them again.
        () => {
          if (this.#runs.get(run.id) === described) this.#runs.delete(run.id);
        },
      );
    }
    return described;
  }

  /** The values of columns by their positions; those that are not cached are read in one pass. */
  async #values(run: Run, described: DescribedRun, numbers: readonly number[]): Promise<PackedColumn[]> {
    const all = await described.columns;
    const missing = [...new Set(numbers)].filter((number) => !described.packed.has(number));
    const reading =
      missing.length === 0
        ? null
        : readColumns(
            run,
            missing.map((number) => all[number]!),
          );
    const found = numbers.map((number) => {
      const cached = described.packed.get(number);
      if (cached === undefined) return reading!.then((read) => read[missing.indexOf(number)]!);
      described.packed.delete(number);
      described.packed.set(number, cached);
      return cached.values;
    });
    for (const [i, number] of missing.entries()) {
      const bytes = resultsShape(run).rows * packedBytes(all[number]!);
      const values = reading!.then((read) => read[i]!);
      values.catch(() => described.packed.delete(number));
      described.packed.set(number, { bytes, values });
    }
    this.#evict();
    return await Promise.all(found);
  }

  /** Frees the values used least recently, of other runs first, and then descriptions. */
  #evict(): void {
    for (const [id, { packed }] of this.#runs) {
      for (const number of packed.keys()) {
        if (this.usedBytes <= this.#limitBytes) return;
        packed.delete(number);
      }
      if (this.usedBytes > this.#limitBytes) this.#runs.delete(id);
    }
  }
}

function bytesOf(columns: readonly DescribedColumn[]): number {
  return columns.reduce(
    (sum, { values }) =>
      sum + DESCRIPTION_BYTES + values.reduce((bytes, value) => bytes + 2 * value.length, 0),
    0,
  );
}

/** The position of a column. @throws {RequestError} `unknown-column`, `column-is-text` */
function numberOf(columns: readonly DescribedColumn[], name: string, source?: ColumnSource): number {
  const number = columns.findIndex(
    (column) => column.name === name && (source === undefined || column.source === source),
  );
  if (number < 0) {
    const names = columns.map((column) => column.name);
    throw new RequestError(
      'unknown-column',
      `the run has no column ${quote(name)}${source === undefined ? '' : ` of source ${source}`}; its columns are ${quote(names, 500)}`,
      { facts: { column: name, found: names } },
    );
  }
  if (columns[number]!.kind !== 'text') return number;
  throw new RequestError(
    'column-is-text',
    `the column ${quote(name)} has texts with too many different values; expected a category, numbers or dates`,
    { facts: { column: name } },
  );
}

/** A column as the API shows it. */
export function shownColumn({ name, kind, source, distinct, missing }: DescribedColumn): RunColumn {
  return { name, kind, source, distinct, missing };
}
