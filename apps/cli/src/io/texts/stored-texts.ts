/** Finds the texts of the rows of a vector file: in the file of `--texts`, or in a column of the vector file. */

import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import type { StoredColumns } from '../vectors/columns.ts';
import type { VectorFile } from '../vectors/types.ts';
import type { TextsFlags } from './choices.ts';
import { findTexts, readTextRows, type TextLookup, type TextsDeps, type VectorRow } from './read-texts.ts';

/** Name of the text column without `--text`. */
const TEXT_COLUMN = 'text';

/** The options that name the texts. */
export interface StoredTextsFlags extends TextsFlags {
  /** The embedded text file. */
  texts?: string;
}

/**
 * Looks up the texts of these rows, or of all rows for `null`.
 * @throws {UsageError} if there is no `--texts` and the vector file has no text column
 */
export async function findTextsOfVectors(
  file: VectorFile,
  flags: StoredTextsFlags,
  deps: TextsDeps,
  wanted: readonly VectorRow[] | null,
): Promise<TextLookup> {
  if (flags.texts !== undefined) return findTexts({ ...flags, path: flags.texts }, deps, wanted);
  const rows = wanted === null ? null : new Set(wanted.map(({ row }) => row));
  const last = wanted?.reduce((max, { row }) => Math.max(max, row), 0) ?? Infinity;
  const texts = new Map<number, string>();
  for await (const { row, text } of readTextsOfVectors(file, flags, deps)) {
    if (row > last) break;
    if (rows?.has(row) !== false) texts.set(row, text);
  }
  return ({ row }) => texts.get(row) ?? null;
}

/** A text and the row of its vector. */
export interface StoredText {
  /** Row number of the vector, from 0; of the text file with `--texts`. */
  row: number;
  /** The id that the row of the vector must have; `null` if the text stands beside its vector. */
  id: string | null;
  text: string;
}

/**
 * The texts of all rows in ascending order, one slice in memory at a time. Rows without a text are left out.
 * @throws {UsageError} if there is no `--texts` and the vector file has no text column
 */
export async function* readTextsOfVectors(
  file: VectorFile,
  flags: StoredTextsFlags,
  deps: TextsDeps,
): AsyncGenerator<StoredText> {
  if (flags.texts !== undefined) {
    yield* readTextRows({ ...flags, path: flags.texts }, deps);
    return;
  }
  const column = flags.text ?? TEXT_COLUMN;
  let [first, isFound] = [0, false];
  for await (const slice of file.readColumns([column])) {
    deps.signal.throwIfAborted();
    const values = valuesOf(slice, column);
    isFound ||= values !== null;
    for (let n = 0; n < slice.ids.length; n++) {
      const text = values?.[n];
      if (typeof text === 'string') yield { row: first + n, id: null, text };
    }
    first += slice.ids.length;
  }
  if (!isFound) throw await noTextColumn(file, column);
}

/** Whether texts can be found, by the first rows of the vector file. */
export async function hasTextsOfVectors(file: VectorFile, flags: StoredTextsFlags): Promise<boolean> {
  if (flags.texts !== undefined) return true;
  const column = flags.text ?? TEXT_COLUMN;
  for await (const slice of file.readColumns([column])) return valuesOf(slice, column) !== null;
  return false;
}

/**
 * Checks before any work that texts can be found, by the first rows of the vector file.
 * @throws {UsageError} if there is no `--texts` and the vector file has no text column
 */
export async function checkTextsOfVectors(file: VectorFile, flags: StoredTextsFlags): Promise<void> {
  if (!(await hasTextsOfVectors(file, flags))) throw await noTextColumn(file, flags.text ?? TEXT_COLUMN);
}

/** True if texts are given by `--texts` or `--text`, or the vector file has a text column. */
export async function hasTexts(file: VectorFile, flags: StoredTextsFlags): Promise<boolean> {
  if (flags.texts !== undefined || flags.text !== undefined) return true;
  for await (const slice of file.readColumns([TEXT_COLUMN])) return valuesOf(slice, TEXT_COLUMN) !== null;
  return false;
}

/** The values of a column, one per row of a slice; `null` if the slice does not have it. */
function valuesOf(slice: StoredColumns, name: string): readonly unknown[] | null {
  if ('objects' in slice) {
    return slice.objects.some((object) => name in object)
      ? slice.objects.map((object) => object[name])
      : null;
  }
  return slice.values[slice.columns.findIndex((column) => column.name === name)] ?? null;
}

async function noTextColumn(file: VectorFile, column: string): Promise<UsageError> {
  const names = new Set<string>();
  for await (const slice of file.readColumns()) {
    const found =
      'objects' in slice ? slice.objects.flatMap(Object.keys) : slice.columns.map(({ name }) => name);
    for (const name of found) names.add(name);
    break;
  }
  const known =
    names.size === 0 ? 'no columns' : `the columns ${[...names].map((name) => quote(name)).join(', ')}`;
  return new UsageError(
    `${quote(file.name, 200)} has ${known} beside its vectors, and no texts in ${quote(column)}; ` +
      'name the column with --text, or the embedded file with --texts',
  );
}
