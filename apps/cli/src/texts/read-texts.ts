/** Reads the texts of an input file with the ids that `embedmill embed` gives them; commands that show or score texts call it. */

import type { Readable } from 'node:stream';
import { type Config, rowDefaults } from '@embedmill/core';
import { openInput } from '../embed/input.ts';
import { type EmbedFlags, readInput } from '../embed/request.ts';

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
  id: string;
  text: string;
}

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
    textField: text ?? rowDefaults.textField,
    idField: id ?? rowDefaults.idField,
    isIdAsked: id !== undefined,
  };
  const { rows } = await openInput(request, { stdin, maxRowBytes: config.maxRowBytes, signal });
  let number = 0;
  for await (const slice of rows) {
    for (const row of slice) {
      number += 1;
      if (row.ok) yield { id: row.id ?? String(number), text: row.text };
    }
  }
}

/** The texts of these ids, or with `null` of all; where an id repeats, the first text. */
export async function findTexts(
  request: TextsRequest,
  ground: TextsGround,
  wanted: ReadonlySet<string> | null,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { id, text } of readTexts(request, ground)) {
    if (found.has(id) || wanted?.has(id) === false) continue;
    found.set(id, text);
    if (found.size === wanted?.size) break;
  }
  return found;
}
