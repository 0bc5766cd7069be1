/** Columns of runs: kept with the rows through restart, export, repair and retry; described, read and filtered. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repairRuns } from '@embedmill/core/runs';
import { RunColumns } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi, until } from '../support/api.ts';
import { startCollecting } from '../support/collecting.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const SHOPS = ['Kiel', 'Ulm', 'Kiel', '', 'Kiel', 'Ulm', 'Jena', 'Jena'];
const CSV = [
  'id,text,rating,shop,sold,price,note',
  ...SHOPS.map((shop, i) => {
    const text = i === 3 ? '' : `opinion ${i} ${i === 1 ? '😀' : ''}`.trim();
    return `r${i},${text},${1 + (i % 2)},${shop},${String(i + 1).padStart(2, '0')}/03/2025,${i === 2 ? '?' : i * 1.5},note ${i}`;
  }),
].join('\n');
/** More rows, so that one price in 28 is not a number. */
const MORE = Array.from({ length: 20 }, (_, i) => `m${i},other ${i},2,Ulm,${i + 1}/04/2025,${i},more ${i}`);

async function completedRun(api: TestApi, query: string): Promise<string> {
  await startHashWorker(api.redis);
  const { id } = await api.create({ batchRows: 5 });
  const sent = await api.call('POST', `/v1/runs/${id}/rows?part=0${query}`, {
    headers: { 'content-type': 'text/csv' },
    body: [CSV, ...MORE].join('\n'),
  });
  expect(sent.status).toBe(201);
  await api.call('POST', `/v1/runs/${id}/seal`);
  await api.completed(id);
  return id;
}

const get = async (api: TestApi, path: string) => (await api.call('GET', `/v1/runs/${path}`)).json();

describe('a run with columns', () => {
  it('describes them and gives their values in row order', async () => {
    const api = await startApi();
    const id = await completedRun(api, '&columns=*');
    const { columns } = await get(api, `${id}/columns`);
    expect(columns).toEqual([
      { name: 'rating', kind: 'category', source: 'input', distinct: 2, missing: 0 },
      { name: 'shop', kind: 'category', source: 'input', distinct: 3, missing: 1 },
      { name: 'sold', kind: 'date', source: 'input', distinct: 28, missing: 0 },
      { name: 'price', kind: 'number', source: 'input', distinct: 25, missing: 1 },
      { name: 'note', kind: 'text', source: 'input', distinct: 28, missing: 0 },
      { name: 'length', kind: 'number', source: 'run', distinct: expect.any(Number), missing: 0 },
      { name: 'verdict', kind: 'category', source: 'run', distinct: 2, missing: 0 },
    ]);
    const shop = await get(api, `${id}/columns/shop`);
    expect(shop.values).toEqual(['Ulm', 'Kiel', 'Jena']);
    expect(shop.codes.slice(0, 8)).toEqual([1, 0, 1, -1, 1, 0, 2, 2]);
    const sold = await get(api, `${id}/columns/sold`);
    // 20/04/2025 can only be a day first.
    expect(sold.times.slice(0, 2)).toEqual([Date.UTC(2025, 2, 1), Date.UTC(2025, 2, 2)]);
    expect((await get(api, `${id}/columns/price`)).numbers.slice(0, 4)).toEqual([0, 1.5, null, 4.5]);
    expect((await get(api, `${id}/columns/length`)).numbers.slice(0, 4)).toEqual([9, 11, 9, 0]);
    const verdict = await get(api, `${id}/columns/verdict?source=run`);
    expect(verdict.codes.slice(0, 5).map((code: number) => verdict.values[code])).toEqual([
      'ok',
      'ok',
      'ok',
      'empty',
      'ok',
    ]);
    const refusals = ['note', 'nothing', 'shop?source=run', 'shop?source=x'].map(async (path) => {
      const response = await api.call('GET', `/v1/runs/${id}/columns/${path}`);
      return [response.status, (await response.json()).code];
    });
    expect(await Promise.all(refusals)).toEqual([
      [422, 'column-is-text'],
      [404, 'unknown-column'],
      [404, 'unknown-column'],
      [400, 'invalid-query'],
    ]);
    expect((await get(api, `${id}/texts?rows=3,1`)).rows).toMatchObject([
      { row: 3, columns: { rating: '2', sold: '04/03/2025' } },
      { row: 1, columns: { shop: 'Ulm', note: 'note 1' } },
    ]);

    const run = api.collecting.runs.get(id);
    const cache = new RunColumns(4200);
    const filter = { shop: { in: ['Kiel', 'Jena'] }, sold: { from: '2025-03-03', to: '2025-03-31' } };
    const mask = await cache.matchingRows(run, { columns: filter });
    expect([...mask!.entries()].flatMap(([row, matches]) => (matches ? [row] : []))).toEqual([2, 4, 6, 7]);
    expect(await cache.matchingRows(run, {})).toBeNull();
    await expect(cache.matchingRows(run, { columns: { note: { in: ['x'] } } })).rejects.toMatchObject({
      code: 'column-is-text',
    });
    for (const name of ['rating', 'shop', 'sold', 'price', 'length']) await cache.column(run, name);
    expect(cache.usedBytes).toBeLessThanOrEqual(4200);
    expect(cache.usedBytes).toBeGreaterThan(0);
  });

  it('keeps them through a restart, an export, a repeated part and a repair', async () => {
    const api = await startApi();
    const id = await completedRun(api, '&columns=shop,price');
    const shops = await get(api, `${id}/columns/shop`);
    const exported = await (await api.call('GET', `/v1/runs/${id}/export`)).arrayBuffer();
    const imported = await (
      await api.call('POST', '/v1/runs/import?asNew=true', {
        headers: { 'content-type': 'application/x-tar' },
        body: exported,
      })
    ).json();
    expect(await get(api, `${imported.id}/columns/shop`)).toEqual(shops);

    await api.collecting.stop();
    const journal = join(api.dataDir, 'runs', id, 'ledger.journal');
    const damaged = await readFile(journal);
    damaged[damaged.indexOf(0x0a) + 50]! ^= 1;
    await writeFile(journal, damaged);
    const reports = [];
    for await (const report of repairRuns({ dataDir: api.dataDir, run: id, assertWritable: () => {} }))
      reports.push(report.outcome);
    expect(reports).toEqual(['repaired']);
    const after = await startCollecting(api.redis, api.dataDir);
    const run = after.runs.get(id);
    await until(() => run.state === 'completed');
    const release = await run.hold();
    const { column, values } = await new RunColumns(4200).column(run, 'shop');
    release();
    expect(column.values).toEqual(shops.values);
    expect([...values]).toEqual(shops.codes);
  });

  it('takes the same rows again only with the same columns', async () => {
    const api = await startApi();
    const { id } = await api.create({ batchRows: 5 });
    const send = (query: string, body = CSV) =>
      api.call('POST', `/v1/runs/${id}/rows?part=0${query}`, {
        headers: { 'content-type': 'text/csv' },
        body,
      });
    expect((await send('&columns=tall')).status).toBe(422);
    expect((await send('&columns=shop')).status).toBe(201);
    expect((await send('&columns=shop')).status).toBe(200);
    const { rowLog, ledger } = api.collecting.runs.get(id).files;
    const rows = await rowLog.read(ledger.batches[0]!.span);
    expect(rows[0]).toEqual(['r0', 2, 'opinion 0', { shop: 'Kiel' }]);
  });

  it('without columns has only those of the run, and rows as before', async () => {
    const api = await startApi();
    const id = await completedRun(api, '');
    expect((await get(api, `${id}/columns`)).columns.map(({ name }: { name: string }) => name)).toEqual([
      'length',
      'verdict',
    ]);
    const { rowLog, ledger } = api.collecting.runs.get(id).files;
    expect((await rowLog.read(ledger.batches[0]!.span))[0]).toEqual(['r0', 2, 'opinion 0']);
  });
});
