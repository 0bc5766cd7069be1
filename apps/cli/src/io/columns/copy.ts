/** Copies the columns of the input into the .csv of a command: which, under what names, and the cells of each row. */

import { quote } from '@embedmill/contract';
import { cellOf, type FieldsRow } from '@embedmill/core/formats';
import { UsageError } from '../../shell/exit-codes.ts';
import type { TableCell } from '../records/write-table.ts';
import { toFieldsRows } from '../vectors/columns.ts';
import type { VectorFile } from '../vectors/types.ts';
import { type OutputColumn, outputColumns } from './join.ts';
import { type ColumnChoice, ColumnSpool } from './spool.ts';

/** Options of {@link ColumnCopy}. */
export interface ColumnCopyOptions {
  /** The .csv file; the spool is a hidden file beside it. */
  outputPath: string;
  choice: ColumnChoice;
  /** Columns that the output has anyway. */
  taken: readonly string[];
  signal: AbortSignal;
}

/** The columns of the input for the rows of an output. They are on disk until {@link close}. */
export class ColumnCopy {
  readonly #options: ColumnCopyOptions;
  readonly #spool: ColumnSpool;

  private constructor(options: ColumnCopyOptions) {
    this.#options = options;
    this.#spool = ColumnSpool.beside(options.outputPath);
  }

  /** Reads the columns of a vector file, if any are chosen. */
  static async fromVectors(file: VectorFile, options: ColumnCopyOptions): Promise<ColumnCopy> {
    const copy = new ColumnCopy(options);
    if (options.choice !== 'none') await copy.#record(toFieldsRows(file.readColumns()));
    return copy;
  }

  /** Whether columns are chosen and the vector file has none, so that those of `--texts` can take their place. */
  get needsTexts(): boolean {
    return this.#options.choice !== 'none' && this.#spool.columns.length === 0;
  }

  /** Takes the columns of other rows, which have the numbers of the rows of the vector file. */
  async replace(rows: AsyncIterable<FieldsRow[]>): Promise<void> {
    await this.#record(rows);
  }

  async #record(rows: AsyncIterable<FieldsRow[]>): Promise<void> {
    try {
      await this.#spool.recordAll(rows, this.#options.signal);
      // A wrong --columns ends the command before its work.
      if (this.#spool.columns.length > 0) this.#columns();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Names in the output. @throws {UsageError} if a chosen column does not exist */
  get names(): string[] {
    return this.#columns().map(({ name }) => name);
  }

  #columns(): OutputColumn[] {
    const { choice, taken } = this.#options;
    if (choice === 'none') return [];
    const { columns } = this.#spool;
    const named = outputColumns(columns, { idField: 'id', taken });
    if (choice === 'all') return named;
    const missing = choice.find((name) => !columns.some((column) => column.name === name));
    if (missing !== undefined) {
      const found = columns.map(({ name }) => quote(name)).join(', ') || 'none';
      throw new UsageError(`--columns names ${quote(missing)}; the columns of the input are ${found}`);
    }
    return named.filter(({ position }) => choice.includes(columns[position]?.name ?? ''));
  }

  /**
   * The cells of rows, in the order of the file.
   * @param numbers of the rows in the vector file, from 0, ascending
   */
  async *cells(numbers: readonly number[]): AsyncGenerator<TableCell[]> {
    const columns = this.#columns();
    let at = 0;
    if (columns.length > 0) {
      let first = 0;
      for await (const { rows, values } of this.#spool.read()) {
        for (; at < numbers.length && (numbers[at] as number) < first + rows; at++) {
          const row = (numbers[at] as number) - first;
          yield columns.map(({ position, type }) => cellOf(values[position]?.[row], type));
        }
        first += rows;
      }
    }
    // Texts may end before the vectors.
    for (; at < numbers.length; at++) yield columns.map(() => '');
  }

  async close(): Promise<void> {
    await this.#spool.delete();
  }
}
