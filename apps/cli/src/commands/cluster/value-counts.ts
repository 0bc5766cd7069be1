/** Counts the rows of each topic by the values of a column, for `embedmill cluster --by` and `--over`. */

import { quote } from '@embedmill/contract';
import type { TableCell } from '../../io/records/write-table.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatCount } from '../../shell/terminal/numbers.ts';

/** Maximum number of different values of a column; more are not categories. */
const MAX_VALUES = 10_000;

/** A date, or a timestamp that starts with one, in ISO 8601. */
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?![\d])/;

/** Maximum days and months of a trend; a longer one has months and years. */
const MAX_DAYS = 62;
const MAX_MONTHS = 60;

/** Header of the files of shares and trends, after the column with the value. */
export const VALUE_COUNT_COLUMNS = ['topic', 'rows', 'share_of_value', 'share_of_topic'] as const;

/** Rows by value and topic. */
export class ValueCounts {
  readonly #column: string;
  #counts = new Map<string, Map<number, number>>();

  /** @param column its name, for errors */
  constructor(column: string) {
    this.#column = column;
  }

  /** Counts a row. @throws {UsageError} for too many different values */
  add(topic: number, cell: TableCell): void {
    this.#addRows(String(cell), topic, 1);
    if (this.#counts.size > MAX_VALUES) {
      throw new UsageError(
        `the column ${quote(this.#column)} has more than ${formatCount(MAX_VALUES)} different values; ` +
          'expected categories or dates',
      );
    }
  }

  /**
   * The same counts by period: days, months or years, whichever is the finest with a readable number of periods. Rows
   * without a date are left out.
   * @throws {UsageError} if no value is a date
   */
  byPeriod(): ValueCounts {
    const dates = [...this.#counts.keys()].filter((value) => DATE.test(value));
    if (dates.length === 0) {
      const [example = ''] = this.#counts.keys();
      throw new UsageError(
        `--over ${quote(this.#column)} found no date; expected values such as 2026-11-28, got ${quote(example)}`,
      );
    }
    const periods = (chars: number) => new Set(dates.map((value) => value.slice(0, chars))).size;
    const chars = periods(10) <= MAX_DAYS ? 10 : periods(7) <= MAX_MONTHS ? 7 : 4;
    const counts = new ValueCounts(this.#column);
    for (const value of dates) {
      for (const [topic, rows] of this.#counts.get(value)!)
        counts.#addRows(value.slice(0, chars), topic, rows);
    }
    return counts;
  }

  /** One record per value and topic with rows: value, topic, rows, and the shares of both, by value and topic. */
  *records(): Generator<TableCell[]> {
    const topics = new Map<number, number>();
    for (const of of this.#counts.values()) {
      for (const [topic, rows] of of) topics.set(topic, (topics.get(topic) ?? 0) + rows);
    }
    for (const [value, of] of [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const total = [...of.values()].reduce((sum, rows) => sum + rows, 0);
      for (const [topic, rows] of [...of].sort(([a], [b]) => a - b)) {
        yield [value, topic, rows, (rows / total).toFixed(4), (rows / topics.get(topic)!).toFixed(4)];
      }
    }
  }

  #addRows(value: string, topic: number, rows: number): void {
    const of = this.#counts.get(value) ?? new Map<number, number>();
    this.#counts.set(value, of);
    of.set(topic, (of.get(topic) ?? 0) + rows);
  }
}
