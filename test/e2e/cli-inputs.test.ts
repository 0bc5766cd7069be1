/**
 * The embed command with inputs as people have them: other charsets, packings, delimiters and line ends, JSON
 * arrays, several files. Exit code 0 means that the vectors are those of the same texts in clean JSON lines.
 */

import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import { jsonLines, readLines } from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder, visibleNames } from '../support/folder.ts';

type Contents = string | Uint8Array;

const PACKED = fileURLToPath(new URL('../fixtures/packed/', import.meta.url));

const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
let fleet: CommandFleet | undefined;
let server = '';

beforeAll(async () => {
  fleet = await startCommandFleet(shared, 1);
  server = fleet.server;
});

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

const embed = (cwd: string, ...args: string[]) =>
  embedmillHere(['embed', ...args, '--server', server], { cwd });

/** Vectors of the texts that have been embedded from clean JSON lines so far. */
const clean = new Map<string, unknown>();

/** The vectors of texts, as decimals: from clean JSON lines. */
async function vectorsOf(texts: readonly string[]): Promise<unknown[]> {
  const missing = [...new Set(texts)].filter((text) => !clean.has(text));
  if (missing.length > 0) {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'clean.jsonl'), jsonLines(missing.map((text) => ({ text }))));
    expect(await embed(cwd, 'clean.jsonl', '--to', 'clean.out.jsonl')).toMatchObject({ code: 0 });
    const lines = readLines(join(cwd, 'clean.out.jsonl'));
    expect(lines).toHaveLength(missing.length);
    for (const [i, text] of missing.entries()) clean.set(text, lines[i].vector);
  }
  return texts.map((text) => clean.get(text));
}

describe('an input that is read as it is', () => {
  test.each<[string, string, Contents, string[], [id: string, text: string][]]>([
    [
      'CSV with CR alone',
      'in.csv',
      'id,text,stars\r1,Soft towel.,5\r2,"Thin, sadly.",2\r3,"It ""shrank""",4\r',
      [],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin, sadly.'],
        ['3', 'It "shrank"'],
      ],
    ],
    [
      'UTF-16',
      'in.jsonl',
      Buffer.from('\ufeff{"id":1,"text":"Soft towel."}\r\n{"id":2,"text":"Größe"}\r\n', 'utf16le'),
      [],
      [
        ['1', 'Soft towel.'],
        ['2', 'Größe'],
      ],
    ],
    [
      'semicolons, a mark and CRLF',
      'in.csv',
      '\ufeffid;text;price\r\n1;Soft towel.;9,95\r\n2;Thin.;3,50\r\n',
      [],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin.'],
      ],
    ],
    [
      'TSV with stray quotes',
      'in.tsv',
      'id\ttext\n1\tok\n2\t"softest ever\n3\ta 15" towel\n4\tok\n',
      [],
      [
        ['1', 'ok'],
        ['2', '"softest ever'],
        ['3', 'a 15" towel'],
        ['4', 'ok'],
      ],
    ],
    [
      'a JSON array',
      'in.jsonl',
      '[\n{"id":"a","text":"Soft towel."},\n{"id":"b","text":"Thin."}\n]\n',
      [],
      [
        ['a', 'Soft towel.'],
        ['b', 'Thin.'],
      ],
    ],
    [
      'ids of 19 digits behind nested ones',
      'in.jsonl',
      '{"user":{"id":1610521604143693001},"id":1610521604143693812,"text":"Soft towel."}\n{"id":1610521604143693813,"text":"ok","of":{"id":9007199254740993}}\n',
      [],
      [
        ['1610521604143693812', 'Soft towel.'],
        ['1610521604143693813', 'ok'],
      ],
    ],
    [
      'a first record larger than the sample',
      'in.jsonl',
      `{"html":"${'x'.repeat(400_000)}","id":"1","text":"Soft towel."}\n{"id":"2","text":"Thin."}\n`,
      ['--id', 'id'],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin.'],
      ],
    ],
    [
      'trailing empty fields',
      'in.csv',
      'id,text\n1,Soft towel.,\n2,Thin.,\n',
      [],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin.'],
      ],
    ],
    [
      'two columns of one name',
      'in.csv',
      'id,text,text\n1,Soft towel.,x\n2,Thin.,y\n',
      ['--text', 'text_1'],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin.'],
      ],
    ],
    [
      'a chosen charset',
      'in.csv',
      Buffer.from('id,text\n1,Gr\xfc\xdfe\n2,caf\xe9\n', 'latin1'),
      ['--charset', 'windows-1252'],
      [
        ['1', 'Grüße'],
        ['2', 'café'],
      ],
    ],
    [
      'no header',
      'in.csv',
      'Soft towel.|17\nThin.|18\n',
      ['--no-header', '--delimiter', '|', '--text', 'column0', '--id', 'column1'],
      [
        ['17', 'Soft towel.'],
        ['18', 'Thin.'],
      ],
    ],
    [
      'nested fields',
      'in.json',
      '[{"review":{"n":1,"text":"Soft towel."}},{"review":{"n":2,"text":"Thin."}}]',
      ['--text', 'review.text', '--id', 'review.n'],
      [
        ['1', 'Soft towel.'],
        ['2', 'Thin.'],
      ],
    ],
  ])('%s', async (_, name, contents, options, rows) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, name), contents);
    const { code, stderr } = await embed(cwd, name, '--to', 'out.jsonl', ...options);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(`Reading ${name}: `) });
    const lines = readLines(join(cwd, 'out.jsonl'));
    expect(lines.map(({ id }) => id)).toEqual(rows.map(([id]) => id));
    expect(lines.map(({ vector }) => vector)).toEqual(await vectorsOf(rows.map(([, text]) => text)));
  });

  test('NaN beside texts, and as a text', async () => {
    const cwd = temporaryFolder();
    const lines = ['"a","text":"ok","s":NaN', '"b","text":NaN', '"c","text":"ok","s":-Infinity'];
    writeFileSync(join(cwd, 'in.jsonl'), lines.map((line) => `{"id":${line}}\n`).join(''));
    expect(await embed(cwd, 'in.jsonl', '--to', 'out.jsonl')).toMatchObject({ code: 3 });
    const [ok] = await vectorsOf(['ok']);
    expect(readLines(join(cwd, 'out.jsonl')).map(({ id, vector }) => [id, vector])).toEqual([
      ['a', ok],
      ['b', null],
      ['c', ok],
    ]);
  });

  test('lone surrogates, with an output that DuckDB reads', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'in.jsonl'),
      '{"id":"a\\udc00","text":"bad \\ud83d end"}\n{"id":"b","text":"ok"}\n',
    );
    expect(await embed(cwd, 'in.jsonl', '--to', 'out.jsonl')).toMatchObject({ code: 0 });
    const duckdb = await (await DuckDBInstance.create()).connect();
    const rows = (
      await duckdb.runAndReadAll(`select id from read_json('${join(cwd, 'out.jsonl')}')`)
    ).getRowsJson();
    expect(rows).toEqual([['a\ufffd'], ['b']]);
  });

  test.each(['zst', 'bz2', 'xz'])('packed as .%s, under any name', async (extension) => {
    const cwd = temporaryFolder();
    const packed = join(PACKED, `reviews.jsonl.${extension}`);
    expect(
      await embed(cwd, packed, '--format', 'jsonl', '--limit', '200', '--to', 'out.jsonl'),
    ).toMatchObject({ code: 0 });
    const lines = readLines(join(cwd, 'out.jsonl'));
    const texts = Array.from(
      { length: 200 },
      (_, n) => `Review ${n + 1}: the towel is soft, size ${((n + 1) * 7919) % 101}.`,
    );
    expect(lines.map(({ id }) => id)).toEqual(texts.map((_, n) => String(n + 1)));
    expect(lines.map(({ vector }) => vector)).toEqual(await vectorsOf(texts));
  });
});

describe('an input that is refused before anything is sent', () => {
  test.each<[string, string, Contents, string]>([
    ['other case', 'in.csv', 'ID,Text\n1,Soft towel.\n', 'add --text Text'],
    [
      'two columns of one name',
      'in.csv',
      'id,text,text\n1,Soft towel.,other\n2,Thin and small.,x\n',
      'add --text text_1',
    ],
    [
      'another charset',
      'in.csv',
      Buffer.from('id,text\n1,Soft.\n2,Gr\xfc\xdfe aus K\xf6ln\n3,Caf\xe9 cr\xe8me\n4,plain\n', 'latin1'),
      'add --charset windows-1252',
    ],
    ['damaged zstd', 'in.jsonl', Buffer.from('28b52ffd00'.padEnd(60, '7'), 'hex'), 'cannot be unpacked'],
  ])('%s', async (_, name, contents, words) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, name), contents);
    const { code, stderr } = await embed(cwd, name, '--to', 'out.npy');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
    expect(readdirSync(cwd)).toEqual([name]);
  });

  test('an empty table, which leaves nothing behind: the next one under its name goes in', async () => {
    const cwd = temporaryFolder();
    const runs = async () =>
      JSON.parse((await embedmillHere(['runs', 'list', '--server', server, '--json'])).stdout).length;
    const before = await runs();
    writeFileSync(join(cwd, 'in.csv'), '');
    expect(await embed(cwd, 'in.csv', '--to', 'out.npy')).toMatchObject({ code: 2 });
    expect([readdirSync(cwd), await runs()]).toEqual([['in.csv'], before]);
    writeFileSync(join(cwd, 'in.csv'), 'id,text\n');
    expect(await embed(cwd, 'in.csv', '--to', 'out.npy')).toMatchObject({ code: 0 });
    expect(visibleNames(cwd)).toEqual(['in.csv', 'out.ids.jsonl', 'out.npy']);
  });

  test('an output that would become an input', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'in'));
    writeFileSync(join(cwd, 'in/a.txt'), 'one\n');
    expect(await embed(cwd, 'in', '--to', 'in/out.jsonl')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is in the input folder "in"'),
    });
  });
});

describe('several files', () => {
  const texts = Array.from({ length: 90 }, (_, n) => `Review ${n}: the towel is soft.`);
  const write = (cwd: string, count: number) => {
    mkdirSync(join(cwd, 'shards'));
    for (let n = 0; n < count; n++) {
      const part = texts.slice(n * 30, n * 30 + 30);
      writeFileSync(join(cwd, `shards/part-${n}.jsonl`), jsonLines(part.map((text) => ({ text }))));
    }
  };

  test.each([['shards'], ['shards/part-*.jsonl']])('as %j are one dataset', async (input) => {
    const cwd = temporaryFolder();
    write(cwd, 3);
    expect(await embed(cwd, input, '--to', 'out.jsonl')).toMatchObject({ code: 0 });
    const lines = readLines(join(cwd, 'out.jsonl'));
    expect(lines.map(({ id }) => id)).toEqual(texts.map((_, n) => String(n + 1)));
    expect(lines.map(({ vector }) => vector)).toEqual(await vectorsOf(texts));
  });

  test('a named pipe gives the same bytes as a file', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.jsonl'), jsonLines(texts.map((text) => ({ text }))));
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const written = pipeline(createReadStream(join(cwd, 'in.jsonl')), createWriteStream(join(cwd, 'pipe')));
    expect(await embed(cwd, 'pipe', '--to', 'out.jsonl')).toMatchObject({ code: 0 });
    await written;
    expect(readLines(join(cwd, 'out.jsonl')).map(({ vector }) => vector)).toEqual(await vectorsOf(texts));
  });
});
