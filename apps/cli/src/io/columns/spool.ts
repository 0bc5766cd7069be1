/**
 * The column spool: the values of the input's columns, between reading the rows and writing the output.
 *
 * A file in the work folder, one packed block per slice of rows, in row order. Every attempt reads its input
 * from the start (to compare what was sent) and so writes the spool from the start; a spool of an attempt that
 * was killed is never read. It can be read while it is written. Decisions: docs/decisions/0140 and 0187.
 */

import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type Column,
  type ColumnValues,
  convertValue,
  type FieldsRow,
  fromJson,
  inferType,
  mergeColumns,
} from '@embedmill/core/formats';
import { BlockFile } from './blocks.ts';

/** Which columns travel from the input to the output. */
export type ColumnChoice = 'all' | 'none' | readonly string[];

/** Parses `--columns`. `all` and `none` are words; columns of these names cannot be chosen alone. */
export function readColumnChoice(given: string): ColumnChoice {
  if (given === 'all' || given === 'none') return given;
  return given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The columns of some rows. */
export interface ColumnBlock {
  rows: number;
  /** One array per column of the spool. */
  values: ColumnValues;
}

/** A block as stored: the columns that occur in it. */
interface StoredBlock {
  rows: number;
  columns: readonly Column[];
  values: unknown[][];
}

/** A later row has a column, or a value of a type, that the rows before it do not have. */
export class ColumnsChanged extends Error {}

/** The columns that a spool has at one time, and all its rows with them. */
export interface SpoolSnapshot {
  readonly columns: readonly Column[];
  /**
   * The blocks in row order; waits for those that are still to be written.
   * @throws {ColumnsChanged} if the columns of all rows are not those of the snapshot
   */
  read(signal?: AbortSignal): AsyncGenerator<ColumnBlock>;
}

/** Writes the columns of all rows, and reads them. */
export class ColumnSpool {
  readonly #path: string;
  readonly #file: BlockFile<StoredBlock>;
  readonly #choice: Exclude<ColumnChoice, 'none'>;
  #columns: Column[] = [];
  /** The columns as text, to notice a change. */
  #names = '[]';

  /** @param path replaced if it exists */
  constructor(path: string, choice: Exclude<ColumnChoice, 'none'>) {
    this.#path = path;
    this.#file = new BlockFile(path);
    this.#choice = choice;
  }

  /** A spool of all columns in a hidden file beside an output. */
  static beside(outputPath: string): ColumnSpool {
    return new ColumnSpool(join(dirname(outputPath), `.${basename(outputPath)}.columns`), 'all');
  }

  /** The columns of all rows written so far, with the types that hold all their values. */
  get columns(): readonly Column[] {
    return this.#columns;
  }

  /** Passes the slices on, and writes the columns of each before the next one is read. */
  async *record<Row extends FieldsRow>(slices: AsyncIterable<Row[]>): AsyncGenerator<Row[]> {
    this.#columns = [];
    this.#names = '[]';
    await this.#file.create();
    try {
      for await (const slice of slices) {
        const block = blockOf(slice, this.#choice);
        this.#columns = mergeColumns(this.#columns, block.columns);
        this.#names = JSON.stringify(this.#columns);
        await this.#file.write(block);
        yield slice;
      }
    } finally {
      await this.#file.close();
    }
  }

  /** Records all slices without passing them on. */
  async recordAll(slices: AsyncIterable<FieldsRow[]>, signal: AbortSignal): Promise<void> {
    for await (const _ of this.record(slices)) signal.throwIfAborted();
  }

  /** Deletes the file, if it exists. */
  async delete(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  /** The blocks in row order, with the columns and types of {@link columns}. Can be called repeatedly. */
  read(): AsyncGenerator<ColumnBlock> {
    return this.snapshot().read();
  }

  /** All rows with the columns of those written so far. */
  snapshot(): SpoolSnapshot {
    const columns = this.#columns;
    const names = this.#names;
    return { columns, read: (signal) => this.#read(columns, names, signal) };
  }

  async *#read(
    wanted: readonly Column[],
    names: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ColumnBlock> {
    for await (const { rows, columns, values } of this.#file.read(signal)) {
      if (this.#names !== names) throw new ColumnsChanged();
      yield { rows, values: wanted.map((column) => valuesOf(column, rows, columns, values)) };
    }
  }
}

function blockOf(slice: readonly FieldsRow[], choice: Exclude<ColumnChoice, 'none'>): StoredBlock {
  const chosen = (name: string) => choice === 'all' || choice.includes(name);
  const blocks = new Map<string, { column: Column | null; values: unknown[] }>();
  const set = (name: string, column: Column | null, row: number, value: unknown) => {
    const block = blocks.get(name) ?? { column, values: new Array<unknown>(slice.length).fill(null) };
    block.values[row] = value;
    blocks.set(name, block);
  };
  for (const [row, { fields }] of slice.entries()) {
    if (fields === undefined) continue;
    if (!('json' in fields)) {
      for (const [n, column] of fields.columns.entries()) {
        if (chosen(column.name)) set(column.name, column, row, fields.values[n]);
      }
    } else {
      for (const [name, value] of Object.entries(fields.json)) if (chosen(name)) set(name, null, row, value);
    }
  }
  const columns: Column[] = [];
  const values: unknown[][] = [];
  for (const [name, { column, values: given }] of blocks) {
    const type = column?.type ?? inferType(given);
    columns.push({ name, type });
    values.push(column === null ? given.map((value) => fromJson(value, type)) : given);
  }
  return { rows: slice.length, columns, values };
}

function valuesOf(
  { name, type }: Column,
  rows: number,
  columns: readonly Column[],
  values: readonly unknown[][],
): readonly unknown[] {
  const at = columns.findIndex((column) => column.name === name);
  const [stored, given] = [columns[at], values[at]];
  if (stored === undefined || given === undefined) return new Array<null>(rows).fill(null);
  return given.map((value) => convertValue(value, stored.type, type));
}
