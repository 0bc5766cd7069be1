/** The analysis of runs with few rows, without vectors, and with files that are not what they should be. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { linesOf, startApi, type TestApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const json = (body: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

async function completedRun(api: TestApi, texts: readonly string[]): Promise<string> {
  await startHashWorker(api.redis);
  const { id } = await api.create();
  if (texts.length > 0)
    await api.send(
      id,
      0,
      texts.map((text, i) => ({ id: `r${i}`, text })),
    );
  await api.call('POST', `/v1/runs/${id}/seal`);
  await api.completed(id);
  return id;
}

async function analysed(api: TestApi, id: string) {
  expect((await api.call('POST', `/v1/runs/${id}/analysis`, json({}))).status).toBe(202);
  const status = async () => await (await api.call('GET', `/v1/runs/${id}/analysis`)).json();
  await until(async () => !['waiting', 'running'].includes((await status()).state));
  return await status();
}

const ROUTES = ['topics', 'topics/rows', 'map', 'duplicates', 'topics/table', 'topics/table?format=xlsx'];

it.each([
  ['no rows', []],
  ['one row', ['alone']],
  ['two rows', ['one', 'two']],
  ['equal rows', ['same', 'same', 'same', 'same']],
  ['no vectors', ['', ' ', '']],
  ['texts that no name can be made of', ['\u0000\u0001', '\ud83d', '...', '!!!', '—']],
])('a run with %s has topics, a map and tables', async (_, texts) => {
  const api = await startApi();
  const id = await completedRun(api, texts);
  expect(await analysed(api, id)).toMatchObject({ state: 'ready', rows: texts.length });
  for (const route of ROUTES) {
    const response = await api.call('GET', `/v1/runs/${id}/${route}`);
    expect([route, response.status]).toEqual([route, 200]);
    await response.arrayBuffer();
  }
  for (const format of ['csv', 'parquet', 'xlsx']) {
    const table = await api.call('POST', `/v1/runs/${id}/table`, json({ format, rows: [0, 7, 1] }));
    expect(table.status).toBe(200);
    await table.arrayBuffer();
  }
  const { topics } = await (await api.call('GET', `/v1/runs/${id}/topics`)).json();
  for (const { name, center } of topics) {
    expect(name).not.toBe('');
    expect(center.every(Number.isFinite)).toBe(true);
  }
});

it('a file with a checksum and wild content counts as missing', async () => {
  const api = await startApi();
  const id = await completedRun(api, ['a b', 'c d', 'e f']);
  await analysed(api, id);
  const path = join(api.dataDir, 'runs', id, 'analysis.bin');
  const whole = await readFile(path);
  const headerBytes = whole.readUInt32LE(12);
  const header = JSON.parse(whole.toString('utf8', 24, 24 + headerBytes));
  const forgeries = [
    null,
    'text',
    {},
    { ...header, topics: {} },
    { ...header, topics: [null] },
    { ...header, topics: [] },
    { ...header, topics: header.topics.map((topic: object) => ({ ...topic, terms: 5 })) },
    {
      ...header,
      topics: header.topics.map((topic: object) => ({ ...topic, nearest: { topic: 99, terms: [] } })),
    },
    { ...header, topics: header.topics.map((topic: object) => ({ ...topic, key: '__proto__' })) },
    { ...header, topics: header.topics.map((topic: object) => ({ ...topic, examples: [[[[]]]] })) },
    { ...header, topics: header.topics.map(({ share: _, ...topic }: { share: number }) => topic) },
    { ...header, groups: [1, null] },
    { ...header, duplicates: null },
    { ...header, duplicates: { groups: [{ representative: null }] } },
  ];
  for (const forged of forgeries) {
    const content = Buffer.concat([Buffer.from(JSON.stringify(forged)), whole.subarray(24 + headerBytes)]);
    const prefix = Buffer.from(whole.subarray(0, 24));
    prefix.writeUInt32LE(Buffer.byteLength(JSON.stringify(forged)), 12);
    prefix.writeUInt32LE(crc32(content), 20);
    await writeFile(path, Buffer.concat([prefix, content]));
    const statuses = [];
    for (const route of [...ROUTES, 'analysis']) {
      const response = await api.call('GET', `/v1/runs/${id}/${route}`);
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    expect([JSON.stringify(forged), statuses]).toEqual([
      JSON.stringify(forged),
      [...ROUTES.map(() => 409), 200],
    ]);
  }
});

it('columns with names that every object has are read and exported like others', async () => {
  const api = await startApi();
  await startHashWorker(api.redis);
  const { id } = await api.create();
  const rows: Record<string, unknown>[] = [
    { id: 'a', text: 'one', constructor: 'x', toString: 5 },
    { id: 'b', text: 'two' },
    { id: 'c', text: 'three', constructor: 'x', toString: 7 },
  ];
  await api.call('POST', `/v1/runs/${id}/rows?part=0&columns=constructor,toString`, {
    headers: { 'content-type': 'application/x-ndjson' },
    body: linesOf(rows),
  });
  await api.call('POST', `/v1/runs/${id}/seal`);
  await api.completed(id);
  const column = async (name: string) => (await api.call('GET', `/v1/runs/${id}/columns/${name}`)).json();
  expect(await column('constructor')).toEqual({ kind: 'category', values: ['x'], codes: [0, -1, 0] });
  await analysed(api, id);
  for (const format of ['csv', 'parquet', 'xlsx']) {
    const table = await api.call('POST', `/v1/runs/${id}/table`, json({ format }));
    const bytes = Buffer.from(await table.arrayBuffer());
    if (format === 'csv') {
      expect(bytes.toString().split('\n').slice(0, 3)).toEqual([
        'id,text,constructor,toString,topic,topic_name,score',
        expect.stringMatching(/^a,one,x,5,0,/),
        expect.stringMatching(/^b,two,,,0,/),
      ]);
    } else expect(bytes.byteLength).toBeGreaterThan(500);
  }
});
