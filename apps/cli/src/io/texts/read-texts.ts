/**
 * Reads the texts of an input file with the ids that `embedmill embed` assigns, for commands that show texts.
 */

import type { Readable } from 'node:stream';
import { quote } from '@embedmill/contract';
import type { Config, Environment } from '@embedmill/core/process';
import { choicesFrom, type TextsFlags } from './choices.ts';
import { openTextInput } from './input.ts';
import { locateInput } from './locate.ts';

/** Which files to read, and how. */
export interface TextsRequest extends TextsFlags {
  /** A file, a folder, a glob, a URL or a database. */
  path: string;
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
}

/** A row of a vector file. */
export type VectorRow = Pick<TextRow, 'row' | 'id'>;

/** Returns the text of a row of a vector file; `null` if unknown. */
export type TextLookup = (wanted: VectorRow) => string | null;

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
  };
  const deps = { stdin, environment, signal, maxRowBytes: config.maxRowBytes };
  const { rows } = await openTextInput(input, deps);
  let number = 0;
  for await (const slice of rows) {
    for (const row of slice) {
      number += 1;
      if (row.ok) yield { row: number - 1, id: row.id ?? String(number), text: row.text };
    }
  }
}

/**
 * Looks up the texts of these rows, or of all rows for `null`. Ids may repeat, so the text in the same row is
 * preferred if its id matches; otherwise the first text with the id is used.
 */
export async function findTexts(
  request: TextsRequest,
  deps: TextsDeps,
  wanted: readonly VectorRow[] | null,
): Promise<TextLookup> {
  const idOfRow = new Map(wanted?.map(({ row, id }) => [row, id]));
  const ids = new Set(idOfRow.values());
  const inRow = new Map<number, TextRow>();
  const firstOfId = new Map<string, string>();
  for await (const found of readTextRows(request, deps)) {
    const isWanted = wanted === null || ids.has(found.id);
    if (isWanted && !firstOfId.has(found.id)) firstOfId.set(found.id, found.text);
    if (wanted === null || idOfRow.get(found.row) === found.id) inRow.set(found.row, found);
    if (inRow.size === wanted?.length) break;
  }
  return ({ row, id }) => {
    const same = inRow.get(row);
    return same?.id === id ? same.text : (firstOfId.get(id) ?? null);
  };
}

/** The message for a text file without any of the wanted ids; usually the id field is another one. */
export function noTextsFound(path: string, ids: readonly string[]): string {
  const wanted = ids.length === 1 ? 'the id' : 'an id such as';
  return `${quote(path, 200)} has no text with ${wanted} ${quote(ids[0])}; name the id field with --id`;
}
