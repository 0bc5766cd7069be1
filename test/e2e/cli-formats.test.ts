/**
 * The embed command with every kind of input and output, on a producer and two workers as separate processes.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import {
  embedmill,
  jsonLines,
  readLines,
  readMatrix,
  sentences,
  startSharedEmbedmill,
} from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder, visibleNames } from '../support/folder.ts';
import { testRedis } from '../support/redis.ts';
import { readNpy } from '../unit/sinks/vectors.ts';

const rows = sentences(120);
const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
const expected = join(shared, 'expected.npy');
let fleet: CommandFleet | undefined;
let server = '';

beforeAll(async () => {
  fleet = await startCommandFleet(shared, 2);
  server = fleet.server;

  // Embedded, without the fleet: what every call below must give too.
  writeFileSync(join(shared, 'rows.jsonl'), jsonLines(rows));
  const args = ['embed', join(shared, 'rows.jsonl'), '--to', expected, '--threads', '1', '--quiet'];
  const embedded = startSharedEmbedmill(args, {});
  expect(await embedded.waitForExit()).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

const delimited = (delimiter: string) =>
  ['id', 'text'].join(delimiter) +
  rows.map(({ id, text }) => `\n${id}${delimiter}"${text.replaceAll('"', '""')}"`).join('');
const plain = rows.map(({ text }) => `${text}\n`).join('');

/** Contents of the same rows in each format. */
const inputs: [name: string, contents: string | Uint8Array][] = [
  ['rows.jsonl', jsonLines(rows)],
  ['rows.csv', delimited(',')],
  ['rows.tsv', delimited('\t')],
  ['rows.txt', plain],
  ['rows.jsonl.gz', gzipSync(jsonLines(rows))],
  ['rows.txt.gz', gzipSync(plain)],
];

describe('every input', () => {
  test.each(inputs)(
    '%s gives the same bytes through a producer with two workers as embedded',
    async (name, contents) => {
      const cwd = temporaryFolder();
      writeFileSync(join(cwd, name), contents);
      const { code, stderr } = await embedmill(
        ['embed', name, '--to', 'out.npy', '--server', server, '--batch-rows', '7'],
        { cwd },
      );
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('120 rows × 384') });
      expect(readFileSync(join(cwd, 'out.npy')).equals(readFileSync(expected))).toBe(true);
      const ids = name.includes('txt') ? rows.map((_, i) => String(i + 1)) : rows.map(({ id }) => id);
      expect(readLines(join(cwd, 'out.ids.jsonl')).map(({ id }) => id)).toEqual(ids);
      expect(visibleNames(cwd)).toEqual(['out.ids.jsonl', 'out.npy', name].sort());
    },
  );

  test.each([
    ['plain', (text: string) => Buffer.from(text)],
    ['gzipped', (text: string) => gzipSync(text)],
  ])('%s stdin too', async (_, pack) => {
    const cwd = temporaryFolder();
    const args = ['embed', '-', '--format', 'csv', '--to', 'out.npy', '--server', server];
    const { code } = await embedmill(args, { cwd, input: pack(delimited(',')) });
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, 'out.npy')).equals(readFileSync(expected))).toBe(true);
  });

  test('may have other names for text and id', async () => {
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'shop.csv'),
      `sku,body\n${rows.map(({ id, text }) => `${id},"${text}"`).join('\n')}`,
    );
    const args = [
      'embed',
      'shop.csv',
      '--text',
      'body',
      '--id',
      'sku',
      '--to',
      'out.npy',
      '--server',
      server,
    ];
    expect(await embedmillHere(args, { cwd })).toMatchObject({ code: 0 });
    expect(readFileSync(join(cwd, 'out.npy')).equals(readFileSync(expected))).toBe(true);
  });

  test('may be read in part', async () => {
    const cwd = temporaryFolder();
    const args = ['embed', join(shared, 'rows.jsonl'), '--limit', '5', '--to', 'out.npy', '--server', server];
    expect(await embedmillHere(args, { cwd })).toMatchObject({ code: 0 });
    expect(readMatrix(join(cwd, 'out.npy'))).toEqual(readMatrix(expected).slice(0, 5));
  });
});

describe('every output', () => {
  const vectors = () => readMatrix(expected).map((vector) => [...vector]);
  const embedTo = (cwd: string, ...output: string[]) =>
    embedmillHere(['embed', join(shared, 'rows.jsonl'), '--server', server, '--to', ...output], { cwd });

  test('.jsonl holds ids and vectors as decimals that round-trip', async () => {
    const cwd = temporaryFolder();
    expect(await embedTo(cwd, 'out.jsonl')).toMatchObject({ code: 0 });
    const lines = readLines(join(cwd, 'out.jsonl'));
    expect(lines.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(lines.map(({ vector }) => [...Float32Array.from(vector)])).toEqual(vectors());
  });

  test('.jsonl holds the floats themselves with --encoding base64', async () => {
    const cwd = temporaryFolder();
    expect(await embedTo(cwd, 'out.jsonl', '--encoding', 'base64')).toMatchObject({ code: 0 });
    const floats = readLines(join(cwd, 'out.jsonl')).map(({ vector }) => [
      ...new Float32Array(Uint8Array.from(Buffer.from(vector, 'base64')).buffer),
    ]);
    expect(floats).toEqual(vectors());
  });

  test('.parquet is read by DuckDB, with ids and the same floats', async () => {
    const cwd = temporaryFolder();
    expect(await embedTo(cwd, 'out.parquet')).toMatchObject({ code: 0 });
    const duckdb = await (await DuckDBInstance.create()).connect();
    const reader = await duckdb.runAndReadAll(`SELECT id, vector FROM '${join(cwd, 'out.parquet')}'`);
    const read = reader.getRowsJS() as [string, number[]][];
    expect(read.map(([id]) => id)).toEqual(rows.map(({ id }) => id));
    expect(read.map(([, vector]) => vector)).toEqual(vectors());
  });
});

test('.arrow is read by Arrow, with ids and the same floats', async () => {
  const cwd = temporaryFolder();
  const args = ['embed', join(shared, 'rows.jsonl'), '--server', server, '--to', 'out.arrow'];
  expect(await embedmillHere(args, { cwd })).toMatchObject({ code: 0 });
  const table = tableFromIPC(readFileSync(join(cwd, 'out.arrow')));
  expect([...(table.getChild('id') ?? [])]).toEqual(rows.map(({ id }) => id));
  expect([...(table.getChild('vector') ?? [])].map((vector) => Float32Array.from(vector))).toEqual(
    readMatrix(expected),
  );
});

describe('with --dtype', () => {
  const run = (cwd: string, to: string, ...more: string[]) =>
    embedmillHere(
      ['embed', join(shared, 'rows.jsonl'), '--server', server, '--to', to, '--overwrite', ...more],
      {
        cwd,
      },
    );

  test('int8 an .npy has a scales file, and none of an earlier output', async () => {
    const cwd = temporaryFolder();
    const { code, stderr } = await run(cwd, 'out.npy', '--dtype', 'int8');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('scales in out.scales.npy'),
    });
    const { numbers } = readNpy(readFileSync(join(cwd, 'out.npy')));
    const scales = readNpy(readFileSync(join(cwd, 'out.scales.npy'))).numbers;
    const floats = readMatrix(expected);
    expect(scales).toHaveLength(120);
    expect(Math.abs(numbers[384 * 7 + 5]! * scales[7]! - floats[7]![5]!)).toBeLessThan(scales[7]!);
    expect(await run(cwd, 'out.npy')).toMatchObject({ code: 0 });
    expect(visibleNames(cwd)).toEqual(['out.ids.jsonl', 'out.npy']);
  });

  test.each(['npy', 'jsonl', 'parquet', 'arrow'])('.%s is searchable', async (extension) => {
    const cwd = temporaryFolder();
    for (const dtype of ['float16', 'int8']) {
      const file = `${dtype}.${extension}`;
      expect(await run(cwd, file, '--dtype', dtype)).toMatchObject({ code: 0 });
      const args = ['search', file, rows[42]!.text, '--server', server, '-k', '1', '--json'];
      const { hits } = JSON.parse((await embedmillHere(args, { cwd })).stdout);
      expect(hits).toEqual([expect.objectContaining({ id: rows[42]!.id, score: expect.closeTo(1, 3) })]);
    }
  });
});

describe('rows without a vector', () => {
  const messy = [
    '{"id":"good","text":"The kettle boils in two minutes."}',
    '{"id":"blank","text":"   "}',
    'not json at all',
    '{"id":"number","text":5}',
    '{"id":"last","text":"Soft towels."}',
  ];

  test('keep their position, are in the report, and cause exit code 3', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'messy.jsonl'), messy.join('\n'));
    const run = (to: string) =>
      embedmillHere(['embed', 'messy.jsonl', '--to', to, '--server', server, '--overwrite'], { cwd });

    const { code, stderr } = await run('out.npy');
    expect(code).toBe(3);
    expect(stderr).toContain('3 rows have no vector (1 empty, 2 failed); see out.npy.report.jsonl');
    expect(readMatrix(join(cwd, 'out.npy')).map((vector) => vector.some((value) => value !== 0))).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
    expect(readLines(join(cwd, 'out.npy.report.jsonl'))).toEqual([
      { id: 'blank', line: 2, verdict: 'empty', message: expect.any(String) },
      { id: '3', line: 3, verdict: 'failed', message: expect.stringContaining('invalid-json') },
      { id: 'number', line: 4, verdict: 'failed', message: expect.stringContaining('text-not-string') },
    ]);

    expect(await run('out.jsonl')).toMatchObject({ code: 3 });
    expect(readLines(join(cwd, 'out.jsonl')).map(({ vector }) => vector === null)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  test('an old report is removed if the output needs none', async () => {
    const cwd = temporaryFolder();
    const run = (...more: string[]) =>
      embedmillHere(['embed', 'in.jsonl', '--to', 'out.npy', '--server', server, ...more], { cwd });
    writeFileSync(join(cwd, 'in.jsonl'), messy.join('\n'));
    expect(await run()).toMatchObject({ code: 3 });
    writeFileSync(join(cwd, 'in.jsonl'), messy[0]!);
    expect(await run('--overwrite')).toMatchObject({ code: 0 });
    expect(existsSync(join(cwd, 'out.npy.report.jsonl'))).toBe(false);
    expect(readMatrix(join(cwd, 'out.npy'))).toHaveLength(1);
  });

  test('an over-long text fails its row with --truncate error', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.txt'), `short\n${'word '.repeat(400)}\n`);
    const run = (truncate: string) =>
      embedmillHere(
        ['embed', 'in.txt', '--to', `${truncate}.npy`, '--server', server, '--truncate', truncate, '--json'],
        { cwd },
      );
    const failed = await run('error');
    expect(failed.code).toBe(3);
    expect(JSON.parse(failed.stdout).verdicts).toMatchObject({ ok: 1, failed: 1 });
    const cut = await run('end');
    expect(cut.code).toBe(0);
    expect(JSON.parse(cut.stdout).verdicts).toMatchObject({ ok: 1, truncated: 1 });
  });

  test('--clean, --long and --prompt reach the run and the fingerprint; unknown steps are rejected', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.txt'), `<b>short</b>\n${'Two words. '.repeat(200)}\n`);
    const run = (...more: string[]) =>
      embedmillHere(
        ['embed', 'in.txt', '--to', 'out.npy', '--server', server, '--json', '--overwrite', ...more],
        {
          cwd,
        },
      );
    const plain = JSON.parse((await run()).stdout);
    const treated = JSON.parse(
      (await run('--clean', 'html,spaces', '--long', 'mean', '--prompt', 'query: ')).stdout,
    );
    expect(treated.verdicts).toMatchObject({ ok: 2, truncated: 0 });
    expect(treated.fingerprint).not.toBe(plain.fingerprint);
    writeFileSync(join(cwd, 'terms.csv'), 'term,wording,case\nTwo words,a pair,\nUS,America,exact\n');
    const replaced = JSON.parse((await run('--glossary', 'terms.csv')).stdout);
    expect(replaced).toMatchObject({ replacements: 200 });
    expect(replaced.fingerprint).not.toBe(plain.fingerprint);
    expect(await run('--clean', 'htlm')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no step "htlm"'),
    });
  });

  test('an input without rows gives an output without rows', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.jsonl'), '');
    expect(
      await embedmillHere(['embed', 'in.jsonl', '--to', 'out.npy', '--server', server], { cwd }),
    ).toMatchObject({ code: 0 });
    expect(readMatrix(join(cwd, 'out.npy'))).toEqual([]);
  });
});

describe('its messages', () => {
  test('--json prints one object with the figures, and --quiet suppresses the rest', async () => {
    const cwd = temporaryFolder();
    const args = [
      'embed',
      join(shared, 'rows.jsonl'),
      '--to',
      'out.npy',
      '--server',
      server,
      '--json',
      '--quiet',
    ];
    const { stdout, stderr } = await embedmillHere(args, { cwd });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 120,
      verdicts: { ok: 120, truncated: 0, empty: 0, failed: 0 },
      dim: 384,
      model: 'all-MiniLM-L6-v2',
      precision: 'int8',
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      server,
      resumed: false,
      output: join(cwd, 'out.npy'),
      ids: join(cwd, 'out.ids.jsonl'),
      report: null,
    });
  });

  test('"runs" lists, shows and deletes runs on the server', async () => {
    const cwd = temporaryFolder();
    const at = ['--server', server];
    const { stdout } = await embedmillHere(
      ['embed', join(shared, 'rows.jsonl'), '--to', 'out.npy', ...at, '--json'],
      { cwd },
    );
    const { run } = JSON.parse(stdout);
    expect((await embedmillHere(['runs', 'list', ...at])).stdout).toMatch(
      new RegExp(`^${run} +completed +120 +120 .* rows.jsonl$`, 'm'),
    );
    expect((await embedmillHere(['runs', 'show', run, ...at])).stdout).toContain('120 of 120 done');
    expect(await embedmillHere(['runs', 'delete', run, ...at])).toMatchObject({ code: 0 });
    expect(await embedmillHere(['runs', 'show', run, ...at])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(run),
    });
  });
});

describe('an invalid request', () => {
  test.each([
    [['embed', 'in.csv'], "required option '--to <output>'"],
    [['embed', 'gone.csv', '--to', 'out.npy'], 'no input file "gone.csv"'],
    [['embed', 'in.csv', '--to', 'out.bin'], '.npy, .jsonl, .parquet, .arrow or .lance'],
    [['embed', 'in.csv', '--to', 'out.lance', '--dtype', 'int8'], 'a LanceDB table stores float32, not int8'],
    [['embed', 'in.csv', '--to', 's3://shop/out.lance'], 'a LanceDB table cannot be in a bucket'],
    [['embed', 'in.csv', '--to', 's3://shop/out'], 'must end in .npy'],
    [['embed', 'in.csv', '--to', 's3://_/out.npy'], 'is not the URL of an object'],
    [['load', 'in.npy', '--to', 'out.lance', '--shard-rows', '9'], '--shard-rows requires a bucket'],
    [['embed', 'in.csv', '--to', 'out.npy', '--dtype', 'int4'], 'Allowed choices are float32, float16, int8'],
    [['embed', 'in.csv', '--to', 'out.npy'], 'the columns are "sku", "body"; add --text body'],
    [['embed', 'in.csv', '--to', 'out.npy', '--text', 'body', '--id', 'ean'], 'no column "ean"'],
    [['embed', 'in.csv', '--to', 'no/folder/out.npy'], 'no folder'],
    [['embed', 'in.csv', '--to', 'out.npy', '--encoding', 'base64'], '.jsonl'],
    [['embed', '-', '--to', 'out.npy'], '--format'],
    [['embed', 'in.csv', '--to', 'out.npy', '--threads', '0'], 'at least 1'],
    [['embed', 'in.csv', '--to', 'out.npy', '--server', 'mill'], 'is not an http or https URL'],
    [['embd'], 'embed'],
  ])('%j is rejected with exit code 2 before anything starts', async (args, words) => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'in.csv'), 'sku,body\n1,Fits.\n');
    const { code, stderr, stdout } = await embedmillHere(args, { cwd, env: { PATH: '' } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(readdirSync(cwd)).toEqual(['in.csv']);
  });

  test('a server that does not respond is named, with exit code 1', async () => {
    const { url } = testRedis();
    const nobody = `http://127.0.0.1:${new URL(url).port}`;
    const { code, stderr } = await embedmillHere([
      'embed',
      join(shared, 'rows.jsonl'),
      '--to',
      join(temporaryFolder(), 'o.npy'),
      '--server',
      nobody,
    ]);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`no usable producer at ${nobody}`),
    });
  });
});
