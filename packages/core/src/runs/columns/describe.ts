/** Describes the columns of a run: names, kinds and different values, from one pass over its rows. */

import {
  type ColumnKind,
  type KeptValue,
  MAX_COLUMNS,
  ROW_VERDICTS,
  type RunColumn,
} from '@embedmill/contract';
import { readRowsSent, readVerdicts } from '../read-results.ts';
import type { Run } from '../run.ts';
import { type DateOrder, parseDate, parseNumber } from './parse.ts';

/** A column with what reading its values needs. */
export interface DescribedColumn extends RunColumn {
  /** The values of a category, in the order of their codes; otherwise empty. */
  readonly values: readonly string[];
  /** Order of day and month in a date. */
  readonly order: DateOrder;
}

/** Different values that are counted. */
const MAX_DISTINCT = 10_000;
/** Characters of different values that are held per column. */
const MAX_DISTINCT_CHARS = 64 * 1024;
/** Memory of an entry of a map besides the characters of its key. */
const ENTRY_BYTES = 64;

/** Maximum memory in which columns are described, besides one batch of rows. */
export const DESCRIBE_MEMORY_BYTES = MAX_COLUMNS * (2 * MAX_DISTINCT_CHARS + ENTRY_BYTES * MAX_DISTINCT);

/** Different values that a category may have. */
const MAX_CATEGORIES = 1000;
/** Rows that a category has per different value, on average. */
const MIN_ROWS_PER_CATEGORY = 2;
/** Integers with fewer different values, such as ratings, are a category. */
const MAX_INTEGER_CATEGORIES = 12;
/** Share of the values that must be numbers for a column of numbers, and the same for dates; the others are missing. */
const MIN_SHARE = 0.95;
/** Number of values after which a column without a number is taken to have none; the same for dates. */
const TRIED_VALUES = 1000;

/**
 * The columns of a run in the order of their first values, then `length` (characters of the text) and `verdict`.
 * @throws {CorruptError} when a file is damaged
 */
export async function describeColumns(run: Run): Promise<DescribedColumn[]> {
  const surveys = new Map<string, ColumnSurvey>();
  const length = new ColumnSurvey();
  const verdict = new ColumnSurvey();
  let rows = 0;
  for await (const block of readRowsSent(run)) {
    rows += block.length;
    for (const { text, columns } of block) {
      if (text !== null) length.add(characters(text));
      for (const name in columns) {
        let survey = surveys.get(name);
        if (survey === undefined) {
          if (surveys.size >= MAX_COLUMNS) continue;
          survey = new ColumnSurvey();
          surveys.set(name, survey);
        }
        survey.add(columns[name]!);
      }
    }
  }
  for await (const codes of readVerdicts(run)) for (const code of codes) verdict.add(ROW_VERDICTS[code]!);
  return [
    ...[...surveys].map(([name, survey]) => ({ name, source: 'input' as const, ...survey.result(rows) })),
    { name: 'length', source: 'run', ...length.result(rows, 'number') },
    { name: 'verdict', source: 'run', ...verdict.result(rows, 'category'), values: ROW_VERDICTS },
  ];
}

/** Number of characters (code points) of a text. */
export function characters(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) pairs += 1;
  return text.length - pairs;
}

/** Counts the values of one column. */
class ColumnSurvey {
  #values = 0;
  #numbers = 0;
  #integers = 0;
  #monthFirst = 0;
  #dayFirst = 0;
  /** Rows by value, up to the bounds. */
  readonly #distinct = new Map<string, number>();
  #distinctChars = 0;
  #isDistinctFull = false;

  add(value: KeptValue): void {
    this.#values += 1;
    this.#count(String(value));
    const isTried = this.#values <= TRIED_VALUES;
    if (isTried || this.#numbers > 0) {
      const number = parseNumber(value);
      if (!Number.isNaN(number)) this.#numbers += 1;
      if (Number.isSafeInteger(number)) this.#integers += 1;
    }
    if (typeof value === 'string' && (isTried || this.#monthFirst + this.#dayFirst > 0)) {
      if (!Number.isNaN(parseDate(value, 'month-first'))) this.#monthFirst += 1;
      if (!Number.isNaN(parseDate(value, 'day-first'))) this.#dayFirst += 1;
    }
  }

  #count(value: string): void {
    const rows = this.#distinct.get(value);
    if (rows !== undefined) this.#distinct.set(value, rows + 1);
    else if (!this.#isDistinctFull) {
      this.#distinct.set(value, 1);
      this.#distinctChars += value.length;
      this.#isDistinctFull = this.#distinct.size >= MAX_DISTINCT || this.#distinctChars >= MAX_DISTINCT_CHARS;
    }
  }

  /** @param rows of the run @param given the kind, if it is known */
  result(rows: number, given?: ColumnKind): Omit<DescribedColumn, 'name' | 'source'> {
    const kind = given ?? this.#kind();
    const ofKind = { number: this.#numbers, date: Math.max(this.#monthFirst, this.#dayFirst) };
    return {
      kind,
      distinct: this.#distinct.size,
      missing: rows - (kind === 'number' || kind === 'date' ? ofKind[kind] : this.#values),
      values: kind === 'category' ? this.#categories() : [],
      order: this.#dayFirst > this.#monthFirst ? 'day-first' : 'month-first',
    };
  }

  #kind(): ColumnKind {
    const needed = this.#values * MIN_SHARE;
    if (Math.max(this.#monthFirst, this.#dayFirst) >= needed) return 'date';
    const isCategory =
      !this.#isDistinctFull &&
      this.#distinct.size <= MAX_CATEGORIES &&
      this.#distinct.size * MIN_ROWS_PER_CATEGORY <= this.#values;
    if (this.#numbers >= needed) {
      const isRating = this.#integers === this.#values && this.#distinct.size <= MAX_INTEGER_CATEGORIES;
      return isCategory && isRating ? 'category' : 'number';
    }
    return isCategory ? 'category' : 'text';
  }

  /** Numbers in ascending order, other values by their rows, most first. */
  #categories(): string[] {
    const isNumeric = this.#numbers === this.#values;
    return [...this.#distinct]
      .sort(([a, rowsA], [b, rowsB]) =>
        isNumeric ? Number(a) - Number(b) : rowsB - rowsA || (a < b ? -1 : 1),
      )
      .map(([value]) => value);
  }
}
