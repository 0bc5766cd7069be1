/**
 * Reads the texts of an input file with the ids that `embedmill embed` assigns, for commands that show texts.
 */

import type { Readable } from 'node:stream';
import { quote } from '@embedmill/contract';
import type { FieldsRow, RowFields } from '@embedmill/core/formats';
import type { Config, Environment } from '@embedmill/core/process';
import type { ColumnChoice } from '../columns/spool.ts';
import { choicesFrom, type TextsFlags } from './choices.ts';
import { openTextInput } from './input.ts';
import { locateInput } from './locate.ts';

/** Rows per slice of columns. */
const FIELDS_SLICE = 1_000;

/** Which files to read, and how. */
export interface TextsRequest extends TextsFlags {
  /** A file, a folder, a glob, a URL or a database. */
  path: string;
  /** Columns that the rows carry. Default `none`. */
  columns?: ColumnChoice;
}

/** Dependencies of reading texts. */
export interface TextsDeps {
  config: Pick<Config, 'maxRowBytes'>;
  stdin: Readable;
  environment: Environment;
  signal: AbortSignal;
}

/** A text and its position. */
export interface TextRow {
  /** Row number in the file, from 0; also that of its vector if the whole file was embedded. */
  row: number;
  /** The id in the file, or else the row number from 1. */
  id: string;
  text: string;
  /** The values of its columns, if they were requested and the format has columns. */
  fields?: RowFields | undefined;
}

/** A row of a vector file. */
export type VectorRow = Pick<TextRow, 'row' | 'id'>;

/** Returns the text of a row of a vector file; `null` if unknown. */
export type TextLookup = (wanted: VectorRow) => string | null;

/** Returns the text row for a row of a vector file; `null` if unknown. */
export type TextRowLookup = (wanted: VectorRow) => TextRow | null;

/**
 * Yields the texts in order. Rows without a text are skipped but counted.
 * @throws {UsageError} when the file or field does not exist
 */
export async function* readTextRows(
  request: TextsRequest,
  { config, stdin, environment, signal }: TextsDeps,
): AsyncGenerator<TextRow> {
  const input = {
    input: locateInput([request.path], { query: request.query }),
    choices: choicesFrom(request),
    columns: request.columns ?? 'none',
  };
  const deps = { stdin, environment, signal, maxRowBytes: config.maxRowBytes };
  const { rows } = await openTextInput(input, deps);
  let number = 0;
  for await (const slice of rows) {
    for (const row of slice) {
      number += 1;
      if (row.ok) {
        yield { row: number - 1, id: row.id ?? String(number), text: row.text, fields: row.fields };
      }
    }
  }
}

/** Looks up the texts of these rows, as {@link findTextRows} does. */
export async function findTexts(
  request: TextsRequest,
  deps: TextsDeps,
  wanted: readonly VectorRow[] | null,
): Promise<TextLookup> {
  const find = await findTextRows(request, deps, wanted);
  return (row) => find(row)?.text ?? null;
}

/**
 * Looks up the rows with the texts of these rows, or of all rows for `null`. Ids may repeat, so the text in the same row is
 * preferred if its id matches; otherwise the first text with the id is used.
 */
export async function findTextRows(
  request: TextsRequest,
  deps: TextsDeps,
  wanted: readonly VectorRow[] | null,
): Promise<TextRowLookup> {
  const idOfRow = new Map(wanted?.map(({ row, id }) => [row, id]));
  const ids = new Set(idOfRow.values());
  const inRow = new Map<number, TextRow>();
  const firstOfId = new Map<string, TextRow>();
  for await (const found of readTextRows(request, deps)) {
    const isWanted = wanted === null || ids.has(found.id);
    if (isWanted && !firstOfId.has(found.id)) firstOfId.set(found.id, found);
    if (wanted === null || idOfRow.get(found.row) === found.id) inRow.set(found.row, found);
    if (inRow.size === wanted?.length) break;
  }
  return ({ row, id }) => {
    const same = inRow.get(row);
    return same?.id === id ? same : (firstOfId.get(id) ?? null);
  };
}

/** The columns of the text rows of these rows of a vector file, in ascending order, as a column spool records them. */
export async function* fieldsOf(
  rows: readonly VectorRow[],
  find: TextRowLookup,
): AsyncGenerator<FieldsRow[]> {
  const empty = { ok: true, line: 0, id: '', text: '' } as const;
  let slice: FieldsRow[] = [];
  let number = 0;
  for (const row of rows) {
    for (; number <= row.row; number++) {
      const fields = number === row.row ? find(row)?.fields : undefined;
      slice.push(fields === undefined ? empty : { ...empty, fields });
      if (slice.length < FIELDS_SLICE) continue;
      yield slice;
      slice = [];
    }
  }
  if (slice.length > 0) yield slice;
}

/** The message for a text file without any of the wanted ids; usually the id field is another one. */
export function noTextsFound(path: string, ids: readonly string[]): string {
  const wanted = ids.length === 1 ? 'the id' : 'an id such as';
  return `${quote(path, 200)} has no text with ${wanted} ${quote(ids[0])}; name the id field with --id`;
}
