/** Records with named fields, in every format. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { numberField, readRecords, textField } from '../../../apps/cli/src/io/records/read-records.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { duckdb } from '../tables/files.ts';

/** The records of a file with these contents; places without the folder. */
async function recordsOf(name: string, contents: string | Uint8Array) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), contents);
  const records: { place: string; fields: Readonly<Record<string, unknown>> }[] = [];
  for await (const { place, fields } of readRecords(join(folder, name), 'a')) {
    records.push({ place: place.replace(`${folder}/`, ''), fields });
  }
  return records;
}

describe('records', () => {
  test.each([
    ['f.csv', 'a,b\n1,"x, ""y"""\n'],
    ['f.csv', 'a;b\r\n1;"x, ""y"""\r\n'],
    ['f.csv', Buffer.from('\uFEFFa,b\n1,"x, ""y"""\n', 'utf16le')],
    ['f.csv.gz', gzipSync('\uFEFFa,b\n1,"x, ""y"""\n')],
    ['f.tsv', 'a\tb\n1\tx, "y"\n'],
  ])('of %s are strings by column', async (name, contents) => {
    expect(await recordsOf(name, contents)).toEqual([
      { place: `${name}:2`, fields: { a: '1', b: 'x, "y"' } },
    ]);
  });

  test('of JSON are values by key; blank lines are skipped', async () => {
    const json = '\uFEFF{"a":"1","b":true}\n\n{"a":"2","b":9007199254740993}\n';
    expect(await recordsOf('f.jsonl', json)).toEqual([
      { place: 'f.jsonl:1', fields: { a: '1', b: true } },
      { place: 'f.jsonl:3', fields: { a: '2', b: 9007199254740993n } },
    ]);
    expect(await recordsOf('f.json', '[{"a":"1","b":true}]')).toEqual([
      { place: 'f.json:1', fields: { a: '1', b: true } },
    ]);
  });

  test('of Parquet are values by column', async () => {
    const path = join(temporaryFolder(), 'f.parquet');
    await duckdb(`COPY (SELECT 'x' AS a, 3::BIGINT AS score) TO '${path}' (FORMAT parquet)`);
    const records = await recordsOf('f.parquet', readFileSync(path));
    expect(records).toEqual([{ place: 'f.parquet:1', fields: { a: 'x', score: 3n } }]);
    expect(numberField(records[0]!, 'score')).toBe(3);
  });

  test.each([
    [
      'f.jsonl',
      Buffer.from('{"a":"1"}\n{"a":"caf\xe9"}\n', 'latin1'),
      'its charset is probably windows-1252',
    ],
    ['f.csv.gz', gzipSync('a,b\n1,2\n').subarray(0, 20), 'f.csv.gz": the gzip input'],
    ['f.jsonl', '{"a":"1"}\n[1]\n', 'f.jsonl:2: the line is [1]; expected one object per line'],
    ['f.jsonl', '{"a":"1"}\n{"a":7}\n', 'f.jsonl:2: the field "a" is 7, a number; expected a string'],
    ['f.jsonl', 'a\n', 'f.jsonl": the input is not JSON'],
    ['f.csv', 'a,b\n1,2\n1\n', 'f.csv:3: the record has 1 column'],
    ['f.csv', 'text,b\nx,y\n', 'has no column "a": the columns are "text", "b"'],
    ['f.csv', '', 'the input is empty; expected a header'],
    ['f.txt', 'a\n', 'a txt input has no field "a"'],
  ])('cannot be read from %s with %j', async (name, contents, words) => {
    const error = await recordsOf(name, contents).catch((reason) => reason);
    expect(error.message).toContain(words);
    expect(error.message, 'names an option').not.toContain('--');
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
