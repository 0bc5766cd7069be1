/** Reads the texts of an input file with the ids that `embedmill embed` gives them; commands that show or score texts call it. */

import type { Readable } from 'node:stream';
import { quote } from '@embedmill/contract';
import { ROW_DEFAULTS } from '@embedmill/core/formats';
import type { Config } from '@embedmill/core/process';
import { type EmbedFlags, readInput } from '../../commands/embed/request.ts';
import { openInput } from '../input.ts';

/** Which file, and which of its fields. */
export interface TextsRequest extends Pick<EmbedFlags, 'text' | 'id' | 'format'> {
  path: string;
}

/** What reading needs of the process. */
export interface TextsGround {
  config: Pick<Config, 'maxRowBytes'>;
  stdin: Readable;
  signal: AbortSignal;
}

/** A text under the id of its vector: its own, or the number of its row, from 1. */
export interface TextRow {
  /** Number of the row in the file, from 0: that of its vector, when the file was embedded as it is. */
  row: number;
  id: string;
  text: string;
}

/** A row of a file of vectors. */
export type VectorRow = Pick<TextRow, 'row' | 'id'>;

/** The text of a row of a file of vectors; `null` when none is known. */
export type TextLookup = (wanted: VectorRow) => string | null;

/**
 * The texts in order; rows without a text are left out but counted.
 * @throws {UsageError} when there is no such file or field
 */
export async function* readTexts(
  { path, text, id, format }: TextsRequest,
  { config, stdin, signal }: TextsGround,
): AsyncGenerator<TextRow> {
  const request = {
    input: readInput(path, format === undefined ? {} : { format }),
    textField: text ?? ROW_DEFAULTS.textField,
    idField: id ?? ROW_DEFAULTS.idField,
    isIdAsked: id !== undefined,
  };
  const { rows } = await openInput(request, { stdin, maxRowBytes: config.maxRowBytes, signal });
  let number = 0;
  for await (const slice of rows) {
    for (const row of slice) {
      number += 1;
      if (row.ok) yield { row: number - 1, id: row.id ?? String(number), text: row.text };
    }
  }
}

/**
 * The texts of these rows, or with `null` of all. Ids may repeat, so the text in the same row counts when it has the id of
 * the vector; in a file of other rows, the first text with the id.
 */
export async function findTexts(
  request: TextsRequest,
  ground: TextsGround,
  wanted: readonly VectorRow[] | null,
): Promise<TextLookup> {
  const idOfRow = new Map(wanted?.map(({ row, id }) => [row, id]));
  const ids = new Set(idOfRow.values());
  const inRow = new Map<number, TextRow>();
  const firstOfId = new Map<string, string>();
  for await (const found of readTexts(request, ground)) {
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

/** What to say when a file of texts has none of the ids that are looked for: most often the field of the id is another one. */
export function noTextsFound(path: string, ids: readonly string[]): string {
  return `${quote(path, 200)} has no text with ${ids.length === 1 ? 'the id' : 'an id such as'} ${quote(ids[0])}; name the field of the ids with --id`;
}
