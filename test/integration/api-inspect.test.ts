/** `POST /v1/inspect`: the plan of a file from its first bytes, and an upload that follows it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { duckdb } from '../unit/tables/files.ts';

const windows = Buffer.from('id;body\n1;Gr\xfc\xdfe aus K\xf6ln\n2;Caf\xe9 cr\xe8me\n', 'latin1');

async function inspect(api: TestApi, query: Record<string, string>, body: Uint8Array) {
  const path = `/v1/inspect?${new URLSearchParams(query)}`;
  const response = await api.call('POST', path, {
    headers: { 'content-type': 'application/octet-stream' },
    body,
  });
  return { status: response.status, plan: (await response.json()) as Record<string, unknown> };
}

it('gives the plan, whose fixes lead to an upload without a problem', async () => {
  const api = await startApi();
  const first = await inspect(api, { name: 'shop.csv', complete: 'true' }, windows);
  expect(first).toMatchObject({
    status: 200,
    plan: { format: 'csv', problem: { code: 'unknown-charset', fix: { charset: 'windows-1252' } } },
  });
  const second = await inspect(api, { name: 'shop.csv', complete: 'true', charset: 'windows-1252' }, windows);
  expect(second.plan).toMatchObject({ problem: { code: 'missing-column', fix: { textField: 'body' } } });
  const choices = { charset: 'windows-1252', textField: 'body' };
  const third = await inspect(api, { name: 'shop.csv', complete: 'true', ...choices }, windows);
  expect(third.plan).toMatchObject({
    problem: null,
    dialect: { delimiter: ';' },
    usable: 2,
    complete: true,
  });
  const run = await api.call('POST', '/v1/runs').then(async (response) => Object(await response.json()).id);
  const uploaded = await api.call(
    'POST',
    `/v1/runs/${run}/rows?${new URLSearchParams({ part: '0', delimiter: ';', ...choices })}`,
    { headers: { 'content-type': 'text/csv' }, body: windows },
  );
  expect(await uploaded.json()).toMatchObject({ accepted: 2, rejected: [] });
});

it('unpacks the start of a packed file, and says what a damaged one is', async () => {
  const api = await startApi();
  const lines = Array.from({ length: 20_000 }, (_, n) => `{"id":${n},"text":"Towel number ${n} is soft."}\n`);
  const packed = gzipSync(lines.join(''));
  const cut = packed.subarray(0, packed.length >> 1);
  expect((await inspect(api, { name: 'in.jsonl.gz' }, cut)).plan).toMatchObject({
    packing: 'gzip',
    format: 'jsonl',
    complete: false,
    problem: null,
  });
  const short = gzipSync(lines.slice(0, 1000).join('')).subarray(0, 1000);
  expect(await inspect(api, { name: 'in.jsonl.gz', complete: 'true' }, short)).toMatchObject({
    status: 400,
    plan: { code: 'corrupt-gzip' },
  });
});

it.each([
  [{ charset: 'klingon' }, Buffer.from('text\n'), 422, 'unknown-charset'],
  [{ delimiter: ';;' }, Buffer.from('text\n'), 400, 'invalid-query'],
  [{}, Buffer.alloc(1024 * 1024 + 1, 'a'), 413, 'body-too-large'],
])('refuses %j', async (query, body, status, code) => {
  const api = await startApi();
  expect(await inspect(api, query, body)).toMatchObject({ status, plan: { code } });
});

it('gives the columns of a whole table, and asks for the rest of a part', async () => {
  const api = await startApi();
  const path = join(temporaryFolder(), 'in.parquet');
  const rows = `SELECT i AS id, 'Towel number ' || i || ' is soft' AS body FROM range(100) t(i)`;
  await duckdb(`COPY (${rows}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  const file = readFileSync(path);
  const whole = await inspect(api, { name: 'in.parquet', complete: 'true' }, file);
  expect(whole.plan).toMatchObject({
    format: 'parquet',
    columns: [
      { name: 'id', type: 'integer' },
      { name: 'body', type: 'text' },
    ],
    problem: { code: 'missing-column', fix: { textField: 'body' } },
  });
  const chosen = await inspect(api, { name: 'in.parquet', complete: 'true', textField: 'body' }, file);
  expect(chosen.plan).toMatchObject({ problem: null, textField: 'body', idField: 'id', usable: 100 });
  const part = await inspect(api, { name: 'in.parquet' }, file.subarray(0, 500));
  expect(part.plan).toMatchObject({ format: 'parquet', problem: { code: 'incomplete-table' } });
  const damaged = await inspect(api, { name: 'in.parquet', complete: 'true' }, file.subarray(0, 500));
  expect(damaged).toMatchObject({ status: 200, plan: { problem: { code: 'corrupt-parquet' } } });
});
