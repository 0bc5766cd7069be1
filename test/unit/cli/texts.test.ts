/** Looking up the texts of vector rows, with repeated ids and in files with other rows. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { findTexts, type VectorRow } from '../../../apps/cli/src/io/texts/read-texts.ts';
import { jsonLines } from '../../support/embedmill.ts';
import { temporaryFolder } from '../../support/folder.ts';

const ground = {
  config: { maxRowBytes: 1_000_000 },
  stdin: Readable.from([]),
  environment: {},
  signal: new AbortController().signal,
};

/** The lookup in a file of these rows. */
function textsOf(rows: readonly unknown[], wanted: readonly VectorRow[] | null) {
  const path = join(temporaryFolder(), 'in.jsonl');
  writeFileSync(path, jsonLines(rows));
  return findTexts({ path }, ground, wanted);
}

const repeated = [
  { id: 'a', text: 'apples' },
  { id: 'a', text: 'moon' },
  { id: 'b', text: 7 },
  { id: 'b', text: 'pears' },
];

test.each([
  ['wanted', [1, 3]],
  ['all', null],
])('with repeated ids, a row has the text at its position (%s)', async (_, numbers) => {
  const wanted = numbers?.map((row) => ({ row, id: repeated[row]!.id })) ?? null;
  const textOf = await textsOf(repeated, wanted);
  expect([textOf({ row: 1, id: 'a' }), textOf({ row: 3, id: 'b' })]).toEqual(['moon', 'pears']);
});

test.each([
  ['wanted', [{ row: 0, id: 'c' }]],
  ['all', null],
])('in a file with other rows, a row has the first text with its id (%s)', async (_, wanted) => {
  const rows = [...repeated, { id: 'c', text: 'plums' }, { id: 'c', text: 'figs' }];
  const textOf = await textsOf(rows, wanted);
  expect(textOf({ row: 0, id: 'c' })).toBe('plums');
  expect(textOf({ row: 9, id: 'd' })).toBeNull();
});
