/**
 * Every input format × packing × source × output format: rows, columns and types, as DuckDB reads them.
 *
 * `npm test` runs combinations in which every pair of choices occurs; `npm run test:matrix` runs all, and
 * `npm run docs:matrix` writes the table in docs/inputs.md, which must be that of this test.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { encodeIds, FORMATS, type OutputRows } from '@embedmill/core/formats';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinColumns, outputColumns } from '../../../apps/cli/src/io/columns/join.ts';
import { ColumnSpool } from '../../../apps/cli/src/io/columns/spool.ts';
import { openTextInput } from '../../../apps/cli/src/io/texts/input.ts';
import { locateInput } from '../../../apps/cli/src/io/texts/locate.ts';
import { temporaryFolder } from '../../support/folder.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/matrix/', import.meta.url));
const DOCS = fileURLToPath(new URL('../../../docs/inputs.md', import.meta.url));
const [START, END] = ['<!-- matrix -->', '<!-- /matrix -->'];
const isFull = process.env.EMBEDMILL_MATRIX === 'full';

const FORMAT_NAMES = {
  jsonl: 'JSON lines',
  json: 'JSON array',
  csv: 'CSV',
  tsv: 'TSV',
  txt: 'text',
  parquet: 'Parquet',
  arrow: 'Arrow',
} as const;
const PACKINGS = ['plain', 'gz', 'zst', 'bz2', 'xz'] as const;
const SOURCES = ['file', 'stdin', 'folder', 'glob', 'FIFO'] as const;
const OUTPUTS = ['jsonl', 'parquet', 'arrow', 'npy'] as const;
const INPUTS = Object.keys(FORMAT_NAMES) as (keyof typeof FORMAT_NAMES)[];

interface Cell {
  input: (typeof INPUTS)[number];
  packing: (typeof PACKINGS)[number];
  source: (typeof SOURCES)[number];
  output: (typeof OUTPUTS)[number];
}

/** All combinations, or those in which every pair of choices occurs at least once. */
function cells(): Cell[] {
  const all = INPUTS.flatMap((input) =>
    PACKINGS.flatMap((packing) =>
      SOURCES.flatMap((source) => OUTPUTS.map((output) => ({ input, packing, source, output }))),
    ),
  );
  if (isFull) return all;
  const pairsOf = (cell: Cell) =>
    Object.entries(cell).flatMap(([a, one], n, entries) =>
      entries.slice(n + 1).map(([b, other]) => `${a}=${one} ${b}=${other}`),
    );
  const open = new Set(all.flatMap(pairsOf));
  const chosen: Cell[] = [];
  const newPairs = (cell: Cell) => pairsOf(cell).filter((pair) => open.has(pair)).length;
  while (open.size > 0) {
    const best = all.reduce((a, b) => (newPairs(b) > newPairs(a) ? b : a));
    for (const pair of pairsOf(best)) open.delete(pair);
    chosen.push(best);
  }
  return chosen;
}

/** The input of a cell, and what stdin is. */
function prepare({ input, packing, source }: Cell): { given: string; stdin: Readable; copies: number } {
  const folder = temporaryFolder();
  const plain = readFileSync(`${FIXTURES}rows.${input}`);
  const suffix = packing === 'plain' ? '' : `.${packing}`;
  const bytes =
    packing === 'plain'
      ? plain
      : packing === 'gz'
        ? gzipSync(plain)
        : readFileSync(`${FIXTURES}rows.${input}${suffix}`);
  const path = join(folder, `rows.${input}${suffix}`);
  const none = Readable.from([]);
  switch (source) {
    case 'stdin':
      return { given: '-', stdin: Readable.from([bytes]), copies: 1 };
    case 'FIFO':
      execFileSync('mkfifo', [path]);
      createWriteStream(path).end(bytes);
      return { given: path, stdin: none, copies: 1 };
    case 'file':
      writeFileSync(path, bytes);
      return { given: path, stdin: none, copies: 1 };
    default: {
      const shards = join(folder, 'shards');
      mkdirSync(shards);
      writeFileSync(path, bytes);
      for (const name of ['1', '2']) copyFileSync(path, join(shards, `${name}.${input}${suffix}`));
      const given = source === 'folder' ? shards : join(shards, `*.${input}${suffix}`);
      return { given, stdin: none, copies: 2 };
    }
  }
}

/** Reads the input and writes the output as `embed` does, with the vector (1, 0) in each row. */
async function convert(cell: Cell): Promise<{ path: string; copies: number }> {
  const { given, stdin, copies } = prepare(cell);
  const choices = cell.input === 'txt' && cell.source === 'stdin' ? { format: 'txt' as const } : {};
  const { plans, rows } = await openTextInput(
    { input: locateInput([given]), choices, columns: 'all' },
    { stdin, environment: {}, maxRowBytes: 1024 * 1024, signal: new AbortController().signal },
  );
  const folder = temporaryFolder();
  const spool = cell.input === 'txt' ? null : new ColumnSpool(join(folder, 'columns'), 'all');
  const ids: string[] = [];
  for await (const slice of spool === null ? rows : spool.record(rows)) {
    for (const row of slice) {
      if (!row.ok) throw new Error(row.message);
      ids.push(row.id ?? String(ids.length + 1));
    }
  }
  const vectors = async function* () {
    const floats = Float32Array.from({ length: ids.length * 2 }, (_, n) => (n + 1) % 2);
    yield { ids, dim: 2, vectors: floats, present: new Uint8Array(ids.length).fill(1) };
  };
  const taken = { idField: plans[0]?.idField ?? null, taken: ['id', 'vector'] };
  const columns = spool === null ? [] : outputColumns(spool.columns, taken);
  const joined = (): AsyncIterable<OutputRows> =>
    spool === null ? vectors() : joinColumns(vectors(), spool.read(), columns);
  const { output } = cell;
  const path = join(folder, `out.${output === 'npy' ? 'ids.jsonl' : output}`);
  const encoded =
    output === 'npy'
      ? encodeIds(joined(), columns)
      : FORMATS[output].encode(joined(), { rows: ids.length, dim: 2 }, { columns });
  const chunks: Uint8Array[] = [];
  for await (const chunk of encoded) chunks.push(chunk.slice());
  writeFileSync(path, Buffer.concat(chunks));
  return { path, copies };
}

let instance: DuckDBInstance;
beforeAll(async () => {
  instance = await DuckDBInstance.create();
});
afterAll(() => instance.closeSync());

/** Columns of an SQL source with their types, without the vector, and their values as text. */
async function describeSource(source: string): Promise<{ types: string[]; values: unknown[][] }> {
  const connection = await instance.connect();
  try {
    const schema = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
    const columns = schema.getRowsJson().filter(([name]) => name !== 'vector');
    const list = columns.map(([name]) => `"${name}"::VARCHAR`).join(', ');
    const found = await connection.runAndReadAll(`SELECT ${list} FROM ${source}`);
    return { types: columns.map(([name, type]) => `${name} ${type}`), values: found.getRowsJson() };
  } finally {
    connection.closeSync();
  }
}

/** The output as DuckDB reads it; Arrow, which it cannot read without an extension, as apache-arrow does. */
async function describeOutput(path: string): Promise<{ types: string[]; values: unknown[][] }> {
  if (path.endsWith('.parquet')) return describeSource(`'${path}'`);
  if (path.endsWith('.jsonl')) return describeSource(`read_json('${path}')`);
  const table = tableFromIPC(readFileSync(path));
  const fields = table.schema.fields.filter(({ name }) => name !== 'vector');
  const values = table.toArray().map((row) => fields.map(({ name }) => plain(row[name])));
  return { types: fields.map(({ name, type }) => `${name} ${type}`), values };
}

/** A value of Arrow in the words of DuckDB. */
function plain(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** The columns that all formats but text hold. */
const VALUES: Readonly<Record<string, readonly (string | null)[]>> = {
  id: ['a1', 'a2', 'a3', 'a4'],
  text: ['It fits well, really', 'Grüße aus 東京', 'She said "never again"', 'Good; cheap | quick'],
  shop: ['north', null, 'south', 'north'],
  stars: ['5', null, '1', '4'],
};
const ROWS = 4;

const found = new Map<string, Set<string>>();
const note = (key: string, value: string) => found.set(key, (found.get(key) ?? new Set()).add(value));

test.each(cells())('$input $packing from a $source to $output', async (cell) => {
  const { path, copies } = await convert(cell);
  const { types, values } = await describeOutput(path);
  const names = types.map((type) => type.split(' ')[0]);
  expect(values).toHaveLength(copies * ROWS);
  const repeated = <Value>(of: readonly Value[]): Value[] => Array.from({ length: copies }, () => of).flat();
  if (cell.input === 'txt') expect(values.map(([id]) => id)).toEqual(values.map((_, row) => String(row + 1)));
  else {
    for (const [name, expected] of Object.entries(VALUES)) {
      // A field of CSV and TSV without characters is an empty string.
      const column = values.map((row) => row[names.indexOf(name)] || null);
      expect(column, name).toEqual(repeated(expected));
    }
  }
  if (cell.input === 'parquet' && cell.output === 'parquet') {
    const source = await describeSource(`'${FIXTURES}rows.parquet'`);
    expect(types).toEqual(source.types);
    expect(values).toEqual(repeated(source.values));
  }
  note(`${cell.input} packing`, cell.packing);
  note(`${cell.input} source`, cell.source);
  note(`${cell.input} ${cell.output}`, types.filter((type) => !/^(id|text) /.test(type)).join(', '));
});

test('the table in docs/inputs.md is that of these runs', () => {
  const docs = readFileSync(DOCS, 'utf8');
  const [start, end] = [docs.indexOf(START) + START.length, docs.indexOf(END)];
  const table = `\n${describeMatrix()}\n`;
  if (process.env.EMBEDMILL_WRITE_DOCS !== undefined) {
    writeFileSync(DOCS, docs.slice(0, start) + table + docs.slice(end));
    return;
  }
  expect(docs.slice(start, end), 'run npm run docs:matrix').toBe(table);
});

function describeMatrix(): string {
  const all = (key: string, order: readonly string[]) =>
    order.filter((one) => found.get(key)?.has(one)).join(', ');
  const lines = [
    '| input | packings | sources | output | columns beside id, text and vector |',
    '|---|---|---|---|---|',
  ];
  for (const input of INPUTS) {
    const outputs = new Map<string, string[]>();
    for (const output of OUTPUTS) {
      const [types, ...others] = found.get(`${input} ${output}`) ?? [];
      expect(others, `${input} to ${output}: other types by packing or source`).toEqual([]);
      const shown = types === undefined || types === '' ? 'none' : types;
      outputs.set(shown, [...(outputs.get(shown) ?? []), output === 'jsonl' ? 'JSON lines' : `.${output}`]);
    }
    for (const [types, names] of outputs) {
      lines.push(
        `| ${FORMAT_NAMES[input]} | ${all(`${input} packing`, PACKINGS)} | ${all(`${input} source`, SOURCES)} | ${names.join(', ')} | ${types.replaceAll('|', '\\|')} |`,
      );
    }
  }
  return lines.join('\n');
}
