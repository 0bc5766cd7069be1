/** `embedmill embed --append`: outputs that grow, and commands that are killed while they do. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBytes, openTable } from '@embedmill/core/formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFleet, startCommandFleet } from '../support/command-fleet.ts';
import { jsonLines, readLines, sentences, startEmbedmill } from '../support/embedmill.ts';
import { embedmillHere } from '../support/embedmill-here.ts';
import { temporaryFolder, visibleNames } from '../support/folder.ts';

const shared = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
let fleet: CommandFleet | undefined;
let server = '';

/** With a column that outputs rename. */
const rows = sentences(40).map((row, n) => ({
  ...{ ...row, stars: n % 5, vector: `v${n}`, sold: null },
  mixed: n % 2 === 0 ? { a: n } : `m${n}`,
}));

/** Some rows removed, one changed, one empty, one at another place, and new ones. */
const grown = [
  ...rows.slice(1, 10),
  { ...rows[10], text: 'this text is another one now' },
  { ...rows[11], text: '' },
  ...rows.slice(14, 40).reverse(),
  ...sentences(45)
    .slice(40)
    .map((row) => ({ ...row, stars: 9, vector: 'new', sold: 1, mixed: 2 })),
];
const REMOVED = [rows[0], rows[12], rows[13]];

beforeAll(async () => {
  fleet = await startCommandFleet(shared, 1);
  server = fleet.server;
});

afterAll(async () => {
  await fleet?.end();
  rmSync(shared, { recursive: true, force: true, maxRetries: 5 });
});

/** Embeds `given` into `output`. */
async function embed(cwd: string, given: readonly object[], output: string, ...more: string[]) {
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines(given));
  return embedmillHere(['embed', 'in.jsonl', '--to', output, '--server', server, '--json', ...more], { cwd });
}

describe('--append', () => {
  test.each([
    ['out.parquet'],
    ['out.arrow', '--dtype', 'float16'],
    ['out.jsonl', '--encoding', 'base64', '--dimensions', '64'],
    ['out.npy', '--columns', 'none'],
  ])('embeds only new texts and gives the bytes of embedding all: %s %s %s', async (output, ...more) => {
    const cwd = temporaryFolder();
    // Without an output, all rows are new.
    expect(await embed(cwd, rows, output, '--append', ...more)).toMatchObject({ code: 0 });
    const appended = await embed(cwd, grown, output, '--append', '--removed', 'drop', ...more);
    expect(appended).toMatchObject({ code: 3 });
    expect(JSON.parse(appended.stdout)).toMatchObject({
      ...{ rows: grown.length, append: { embedded: 7, reused: grown.length - 7, kept: 0 } },
      verdicts: { ok: 6, empty: 1 },
    });
    expect(await embed(cwd, grown, `whole-${output}`, ...more)).toMatchObject({ code: 3 });
    const names = visibleNames(cwd).filter((name) => name.startsWith('out.'));
    for (const name of names) {
      expect(readFileSync(join(cwd, name)).equals(readFileSync(join(cwd, `whole-${name}`)))).toBe(true);
    }
    expect(names).toContain(`${output}.report.jsonl`);
  });

  test('keeps removed rows with their columns behind the others, again and again', async () => {
    const cwd = temporaryFolder();
    for (const output of ['out.jsonl', 'out.npy', 'out.parquet']) {
      await embed(cwd, rows, output);
      const { stdout } = await embed(cwd, grown, output, '--append');
      expect(JSON.parse(stdout)).toMatchObject({ rows: grown.length + 3, append: { kept: 3 } });
    }
    const again = await embed(cwd, grown, 'out.jsonl', '--append');
    // Of the empty text, there is still no vector.
    expect(JSON.parse(again.stdout)).toMatchObject({
      ...{ append: { embedded: 1, kept: 3 }, dim: 384, fingerprint: expect.any(String) },
    });
    const expected = REMOVED.map((row) => {
      const { vector, ...others } = row ?? {};
      return { ...others, vector_1: vector };
    });
    expect(readLines(join(cwd, 'out.jsonl')).slice(-3)).toMatchObject(expected);
    expect(readLines(join(cwd, 'out.ids.jsonl')).slice(-3)).toEqual(expected);
    const bytes = await openFileBytes(join(cwd, 'out.parquet'));
    const table = await openTable('parquet', bytes);
    expect(table.columns.map(({ name, type }) => [name, type.kind])).toEqual([
      ['id', 'string'],
      ['text', 'string'],
      ['stars', 'integer'],
      ['vector_1', 'string'],
      ['sold', 'integer'],
      ['mixed', 'string'],
      ['vector', 'list'],
    ]);
    for await (const { values } of table.read({ columns: ['id', 'vector_1', 'mixed'] })) {
      expect(values.map((column) => column.slice(-3))).toEqual([
        REMOVED.map((row) => row?.id),
        REMOVED.map((row) => row?.vector),
        REMOVED.map((row) => JSON.stringify(row?.mixed)),
      ]);
    }
    await bytes.close();
  });

  test('refuses other options before any work, and leaves the output as it is', async () => {
    const cwd = temporaryFolder();
    await embed(cwd, rows, 'out.parquet');
    const before = readFileSync(join(cwd, 'out.parquet'));
    for (const [more, message] of [
      [['--precision', 'fp32'], '--precision was int8, now it is fp32'],
      [['--dtype', 'int8'], '--append cannot add to "out.parquet": it is int8'],
      [['--long', 'mean'], '--long was not given, now it is mean'],
    ] as const) {
      const { code, stderr } = await embed(cwd, grown, 'out.parquet', '--append', ...more);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    }
    expect(readFileSync(join(cwd, 'out.parquet')).equals(before)).toBe(true);
    expect(visibleNames(cwd)).toEqual(['in.jsonl', 'out.parquet']);
  });

  test('refuses another model once the run shows it, and leaves nothing behind', async () => {
    const cwd = temporaryFolder();
    const { stdout } = await embed(cwd, rows, 'out.parquet');
    const { fingerprint } = JSON.parse(stdout);
    const before = readFileSync(join(cwd, 'out.parquet'));
    const index = join(cwd, readdirSync(cwd).find((name) => name.endsWith('.rows')) ?? '');
    const text = readFileSync(index).toString('latin1');
    writeFileSync(index, text.replace(fingerprint, '0123456789abcdef'), 'latin1');
    expect(await embed(cwd, grown, 'out.parquet', '--append')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /0123456789abcdef; this run computes with .*replace --append by --overwrite/,
      ),
    });
    expect(readFileSync(join(cwd, 'out.parquet')).equals(before)).toBe(true);
    expect(visibleNames(cwd)).toEqual(['in.jsonl', 'out.parquet']);
  });

  test('refuses LanceDB, removed rows without ids, and a damaged output', async () => {
    const cwd = temporaryFolder();
    expect(await embed(cwd, rows, 'out.lance', '--append')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is a LanceDB table; write a .parquet file'),
    });
    const texts = rows.map(({ text }) => ({ text }));
    await embed(cwd, texts, 'out.npy');
    expect(await embed(cwd, texts, 'out.npy', '--append', '--removed', 'keep')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--removed keep requires ids'),
    });
    expect(await embed(cwd, [{ text: 'first' }, ...texts], 'out.npy', '--append')).toMatchObject({ code: 0 });
    expect(readLines(join(cwd, 'out.ids.jsonl'))).toHaveLength(texts.length + 1);
    writeFileSync(join(cwd, 'out.npy'), readFileSync(join(cwd, 'out.npy')).subarray(0, 1000));
    expect(await embed(cwd, texts, 'out.npy', '--append')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/does not match its row index .*replace --append by --overwrite/),
    });
  });

  test('kept whole by kill -9, and the same command completes it', async () => {
    const cwd = temporaryFolder();
    await embed(cwd, rows, 'out.parquet');
    const before = readFileSync(join(cwd, 'out.parquet'));
    writeFileSync(join(cwd, 'in.jsonl'), jsonLines(grown));
    const args = ['embed', 'in.jsonl', '--to', 'out.parquet', '--append', '--removed', 'drop'];
    const call = startEmbedmill([...args, '--server', server], { cwd });
    await call.waitFor(/Appending to .*/);
    call.kill('SIGKILL');
    await call.exited;
    expect(readFileSync(join(cwd, 'out.parquet')).equals(before)).toBe(true);
    expect(await embed(cwd, grown, 'out.parquet', ...args.slice(4))).toMatchObject({ code: 3 });
    await embed(cwd, grown, 'whole.parquet');
    expect(readFileSync(join(cwd, 'out.parquet')).equals(readFileSync(join(cwd, 'whole.parquet')))).toBe(
      true,
    );
  });
});

test('--shard-rows writes a set of shards that the other commands read as one', async () => {
  const cwd = temporaryFolder();
  const { code, stdout } = await embed(cwd, rows, 'out.parquet', '--shard-rows', '15');
  expect({ code, summary: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    summary: { rows: 40, shards: 3, output: join(cwd, 'out-*-of-00003.parquet') },
  });
  expect(visibleNames(cwd)).toEqual(['in.jsonl', ...[0, 1, 2].map((n) => `out-0000${n}-of-00003.parquet`)]);
  const loaded = await embedmillHere(['load', 'out.parquet', '--to', 'out.lance', '--json'], { cwd });
  expect(JSON.parse(loaded.stdout)).toMatchObject({ rows: 40 });
  expect(await embed(cwd, rows, 'out.parquet', '--shard-rows', '15')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('exists; add'),
  });
  for (const [output, more, message] of [
    ['out.npy', [], '--shard-rows writes .parquet, .arrow or .jsonl files'],
    ['out.parquet', ['--append'], 'it is a set of shards; embed the new rows into'],
  ] as const) {
    expect(await embed(cwd, rows, output, '--shard-rows', '15', ...more)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  }
});
