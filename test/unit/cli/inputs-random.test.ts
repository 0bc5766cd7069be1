/**
 * Random tables, written in random ways, are read back exactly: each seed chooses the texts, format,
 * delimiter, quoting, line ends, charset and packing.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { openTextInput } from '../../../apps/cli/src/io/texts/input.ts';
import { locateInput } from '../../../apps/cli/src/io/texts/locate.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const PIECES = [
  'Fits well',
  'too small',
  'She said "wow"',
  'a, b, and c',
  'x; y; z',
  'one|two',
  'Größe',
  'café crème',
  '日本語の文',
  "it's",
  '15" wide',
  '5',
  '€ 9,95',
  'emoji 😀',
  '{"a":1}',
  '[1]',
  'line one\nline two',
  'a\tb',
  '',
  '100%',
  '# no',
  'NaN',
  '\\n',
];

interface Row {
  id: string;
  text: string;
  stars: string;
}

function makeCase(seed: number) {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const kind = pick(['csv', 'csv', 'csv', 'tsv', 'jsonl', 'json', 'pretty', 'txt'] as const);
  // A line is a record in these.
  const isFlat = kind === 'tsv' || kind === 'txt';
  const text = () => Array.from({ length: 1 + below(4) }, () => pick(PIECES)).join(' ');
  const rows: Row[] = Array.from({ length: 1 + below(25) }, (_, n) => ({
    id: String(10n ** BigInt(below(19)) + BigInt(n)),
    text: isFlat ? text().replaceAll(/[\n\t]/g, ' ') : text(),
    stars: String(below(6)),
  }));
  const lineEnd = pick(['\n', '\r\n', '\r']);
  const names = pick([
    ['id', 'text', 'stars'],
    ['stars', 'text', 'id'],
    ['text', 'id'],
  ] as const);
  const delimiter = pick([',', ';', '\t', '|']);
  const isAllQuoted = below(2) === 0;
  const cell = (value: string) =>
    isAllQuoted || /[",;|\t\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const table = (join: string, write: (value: string) => string) =>
    [names, ...rows.map((row) => names.map((name) => row[name]))]
      .map((fields) => fields.map(write).join(join))
      .join(lineEnd) + pick(['', lineEnd]);
  const objects = rows.map(({ id, text, stars }) => ({ stars: Number(stars), id, text }));
  const contents = {
    csv: () => table(delimiter, cell),
    tsv: () => table('\t', (value) => value),
    jsonl: () => objects.map((object) => JSON.stringify(object)).join(lineEnd),
    json: () => JSON.stringify(objects),
    pretty: () => JSON.stringify(objects, null, 2).replaceAll('\n', lineEnd),
    txt: () => rows.map((row) => `${row.text}${lineEnd}`).join(''),
  }[kind]();
  const charset = pick(['utf-8', 'utf-8', 'utf-16le', 'utf-16be']);
  const bytes = iconv.encode(contents, charset, { addBOM: charset !== 'utf-8' || below(2) === 0 });
  const name = {
    csv: 'in.csv',
    tsv: 'in.tsv',
    jsonl: 'in.jsonl',
    json: 'in.json',
    pretty: 'in.json',
    txt: 'in.txt',
  }[kind];
  return { kind, rows, contents, name, bytes: below(3) === 0 ? gzipSync(bytes) : bytes };
}

/** Batches of 20 seeds; 158 once read a table with CR the wrong way. */
const BATCHES = [...Array.from({ length: 15 }, (_, n) => n), 158];

test.each(BATCHES)('batch %i', async (batch) => {
  for (let seed = batch * 20; seed < batch * 20 + 20; seed++) {
    const { kind, rows, contents, name, bytes } = makeCase(seed);
    const path = join(temporaryFolder(), name);
    writeFileSync(path, bytes);
    const request = { input: locateInput([path]), choices: {} };
    const deps = {
      stdin: Readable.from([]),
      environment: {},
      signal: new AbortController().signal,
      maxRowBytes: 1 << 20,
    };
    const read: [string | null, string][] = [];
    const input = await openTextInput(request, deps).catch((error) => {
      throw new Error(`seed ${seed}, ${kind}: ${error.message}\n${contents.slice(0, 400)}`);
    });
    for await (const slice of input.rows)
      for (const row of slice) read.push([row.id, row.ok ? row.text : `!${row.message}`]);
    const expected = rows.map((row) => [kind === 'txt' ? null : row.id, row.text]);
    expect(read, `seed ${seed}, ${kind}:\n${contents.slice(0, 400)}`).toEqual(expected);
  }
});
