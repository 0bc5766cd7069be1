/**
 * Speed and memory of the readers of inputs, next to the speed of the engine on the same texts:
 * `npm run bench:readers -- [--rows N] [--gigabytes N] [--no-engine]`.
 *
 * Each file is read in a process of its own: its resident memory is sampled at every tenth. `--gigabytes` reads a
 * JSON Lines file of that size instead, without the engine.
 */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  findColumn,
  openFileBytes,
  openTable,
  planInput,
  readingOf,
  readRows,
  readTableRows,
} from '@embedmill/core/formats';
import { readConfig } from '@embedmill/core/process';
import { describeMachine } from './support/machine.mjs';
import { printTable } from './support/table.mjs';

const MAX_ROW_BYTES = 1024 * 1024;

/** Texts that the engine embeds for its speed. */
const ENGINE_TEXTS = 1_000;

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    gigabytes: { type: 'string' },
    'no-engine': { type: 'boolean', default: false },
    read: { type: 'string' },
  },
});

/** Repeated in documents of 2 kB. */
const SENTENCE = 'The towel is soft, and it arrived late, so I would buy it again. ';

/** Rows as a shop has them; `i` is the number of the row. */
const QUERY = (rows) => `SELECT i AS id,
  'Review ' || i || ': the towel is ' || CASE i % 3 WHEN 0 THEN 'soft' WHEN 1 THEN 'too small' ELSE 'blue' END
    || ', and it arrived ' || (i % 14) || ' days late, so I would buy it again.' AS text,
  'shop' || (i % 50) AS shop, (i % 6)::INTEGER AS stars, (i / 100)::DECIMAL(9, 2) AS price,
  TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS at FROM range(${rows}) t(i)`;

if (options.read !== undefined) console.log(JSON.stringify(await readFile(options.read)));
else await compare();

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-readers-'));
  try {
    const files = options.gigabytes === undefined ? await writeTables(folder) : [await writeLines(folder)];
    const engine =
      options['no-engine'] || options.gigabytes !== undefined ? null : await engineSpeed(files[0]);
    console.log(describeMachine());
    if (engine !== null)
      console.log(`Engine, int8, one thread: ${Math.round(engine)} rows/s of the same texts\n`);
    const lines = files.map((path) => {
      const { rows, seconds, memory } = readApart(path);
      const speed = rows / seconds;
      return [
        path.slice(folder.length + 1),
        `${(statSync(path).size / 1e6).toFixed(0)} MB`,
        Math.round(speed).toLocaleString('en'),
        engine === null ? '' : (speed / engine).toFixed(0),
        memory.join(' '),
      ];
    });
    printTable(['file', 'size', 'rows/s', '÷ engine', 'memory in MB at every tenth'], lines);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writeTables(folder) {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const query = QUERY(Number(options.rows));
  const files = [
    ['zstd.parquet', '(FORMAT parquet, COMPRESSION zstd)'],
    ['one-row-group.parquet', `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${options.rows})`],
    ['rows.csv', '(FORMAT csv)'],
    ['rows.jsonl', '(FORMAT json)'],
  ];
  for (const [name, format] of files)
    await connection.run(`COPY (${query}) TO '${join(folder, name)}' ${format}`);
  connection.closeSync();
  instance.closeSync();
  return files.map(([name]) => join(folder, name));
}

async function writeLines(folder) {
  const path = join(folder, 'large.jsonl');
  const file = createWriteStream(path);
  const bytes = Number(options.gigabytes) * 1e9;
  for (let written = 0, row = 0; written < bytes; ) {
    let block = '';
    for (let n = 0; n < 500; n++, row++)
      block += `{"id":${row},"text":"Document ${row}: ${SENTENCE.repeat(30)}","stars":${row % 6}}\n`;
    written += block.length;
    if (!file.write(block)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  return path;
}

function readApart(path) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [fileURLToPath(import.meta.url), '--read', path],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Reads all rows; the plan is part of the time. */
async function readFile(path) {
  const start = performance.now();
  const size = statSync(path).size;
  const memory = [];
  let [rows, read] = [0, 0];
  const note = (fraction) => {
    if (memory.length < 10 && fraction * 10 >= memory.length + 1)
      memory.push(Math.round(process.memoryUsage.rss() / 1e6));
  };
  const counted = async function* () {
    for await (const chunk of createReadStream(path)) {
      read += chunk.length;
      note(read / size);
      yield chunk;
    }
  };
  const { plan, bytes, close } = await planInput(path, counted(), {});
  let slices;
  let file;
  if (plan.format === 'parquet') {
    await close();
    file = await openFileBytes(path);
    const table = await openTable('parquet', file);
    const column = (name) => findColumn(table.columns, name);
    const keep = table.columns.map(({ name }) => name);
    slices = readTableRows(table, {
      text: column('text'),
      id: column('id'),
      keep,
      maxRowBytes: MAX_ROW_BYTES,
      maxIdBytes: 512,
      onFraction: note,
    });
  } else slices = readRows(bytes, { ...readingOf(plan, { maxRowBytes: MAX_ROW_BYTES }), keepFields: true });
  for await (const slice of slices) rows += slice.length;
  await file?.close();
  return { rows, seconds: (performance.now() - start) / 1000, memory };
}

/** Rows per second of one inference thread. */
async function engineSpeed(path) {
  const { Embedder, prepareModel } = await import('@embedmill/embed');
  const { cacheDir } = readConfig(process.env);
  const embedder = await Embedder.open(await prepareModel({ precision: 'int8', cacheDir }));
  const file = await openFileBytes(path);
  const table = await openTable('parquet', file);
  const texts = (await firstValues(table)).slice(0, ENGINE_TEXTS);
  const target = new Float32Array(texts.length * embedder.model.dim);
  const start = performance.now();
  for (let done = 0; done < texts.length; ) {
    const outcomes = await embedder.embedPack(texts.slice(done), target, done * embedder.model.dim);
    done += outcomes.length;
  }
  const seconds = (performance.now() - start) / 1000;
  await embedder.close();
  await file.close();
  return texts.length / seconds;
}

async function firstValues(table) {
  for await (const { values } of table.read({ columns: ['text'] })) return values[0];
  return [];
}
