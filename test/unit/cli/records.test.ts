/** Records with named fields, in every format. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { numberField, readRecords, textField } from '../../../apps/cli/src/io/records/read-records.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** The records of a file with these contents; places without the folder. */
async function recordsOf(name: string, contents: string | Uint8Array) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), contents);
  const records: { place: string; fields: Readonly<Record<string, unknown>> }[] = [];
  for await (const { place, fields } of readRecords(join(folder, name))) {
    records.push({ place: place.replace(`${folder}/`, ''), fields });
  }
  return records;
}

describe('records', () => {
  test.each([
    ['f.csv', 'a,b\n1,"x, ""y"""\n'],
    ['f.csv.gz', gzipSync('\uFEFFa,b\n1,"x, ""y"""\n')],
    ['f.tsv', 'a\tb\n1\tx, "y"\n'],
  ])('of %s are strings by column', async (name, contents) => {
    expect(await recordsOf(name, contents)).toEqual([
      { place: `${name}:2`, fields: { a: '1', b: 'x, "y"' } },
    ]);
  });

  test('of JSON lines are values by key; blank lines are skipped', async () => {
    expect(await recordsOf('f.jsonl', '{"a":1,"b":true}\n\n{"a":null}\n')).toEqual([
      { place: 'f.jsonl:1', fields: { a: 1, b: true } },
      { place: 'f.jsonl:3', fields: { a: null } },
    ]);
  });

  test('of JSON lines may begin with a byte order mark', async () => {
    const fields = { a: 1 };
    expect(await recordsOf('f.jsonl', '\uFEFF{"a":1}\n')).toEqual([{ place: 'f.jsonl:1', fields }]);
  });

  test.each([
    ['f.jsonl', Buffer.from('{"a":1}\n{"a":"caf\xe9"}\n', 'latin1'), 'is not UTF-8 near line 2'],
    ['f.csv', Buffer.from('a,b\n1,2\n1,caf\xe9\n', 'latin1'), 'is not UTF-8 near line 3'],
    ['f.jsonl', Buffer.from('{"a":"caf\xc3', 'latin1'), 'is not UTF-8 near line 1'],
    ['f.jsonl.gz', 'a\n', 'f.jsonl.gz" cannot be read: the gzip input cannot be decompressed'],
    ['f.csv.gz', gzipSync('a,b\n1,2\n').subarray(0, 20), 'f.csv.gz" cannot be read: the gzip input'],
    ['f.jsonl', '{"a":1}\n[1]\n', 'f.jsonl:2 is [1]; expected a JSON object'],
    ['f.jsonl', 'a\n', 'f.jsonl:1 is not JSON: "a"'],
    ['f.csv', 'a,b\n1\n', 'cannot be read as csv'],
    ['f.txt', 'a\n', 'must end in .jsonl, .csv or .tsv'],
  ])('cannot be read from %s with %j', async (name, contents, words) => {
    await expect(recordsOf(name, contents)).rejects.toThrow(words);
  });
});

test('invalid fields are reported with position and existing names', () => {
  const record = { place: 'f.csv:2', fields: { a: 'x', n: '0.5', e: '', o: {} } };
  expect(textField(record, 'a')).toBe('x');
  expect(numberField(record, 'n')).toBe(0.5);
  expect(() => textField(record, 'text')).toThrow('f.csv:2 has no "text"; its fields are "a", "n", "e", "o"');
  expect(() => textField(record, 'o')).toThrow('f.csv:2 has the "o" {}; expected a string');
  expect(() => numberField(record, 'a')).toThrow('f.csv:2 has the "a" "x"; expected a number');
  expect(() => numberField(record, 'e')).toThrow('expected a number');
});
