/** A refused part leaves nothing: the run can be sealed, and following the advice doubles no row. */

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { linesOf, makeRows, startApi, type TestApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const MEGABYTE = 1024 * 1024;
const config = { maxBodyBytes: MEGABYTE };
/** About 2 MB, twice the limit; compressed, so that its length is unknown. */
const rows = makeRows(2000).map((row) => ({ ...row, text: row.text.padEnd(1000, ' and so on') }));

async function sendTooLarge(api: TestApi, run: string, part: number): Promise<void> {
  const answer = await api.call('POST', `/v1/runs/${run}/rows?part=${part}`, {
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
    body: gzipSync(linesOf(rows)),
  });
  expect([answer.status, (await answer.json()).code]).toEqual([413, 'body-too-large']);
}

async function infoOf(api: TestApi, run: string) {
  return await (await api.call('GET', `/v1/runs/${run}`)).json();
}

async function seal(api: TestApi, run: string): Promise<number> {
  return (await api.call('POST', `/v1/runs/${run}/seal`)).status;
}

async function idsOf(api: TestApi, run: string): Promise<string[]> {
  const text = await (await api.call('GET', `/v1/runs/${run}/ids`)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).id);
}

describe('a part over the body limit', () => {
  it('leaves no row, and the run can be sealed without it', async () => {
    const api = await startApi({ config });
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await api.send(id, 0, makeRows(20, 5000));
    await sendTooLarge(api, id, 1);
    const info = await infoOf(api, id);
    expect([info.rows.accepted, info.batches.total]).toEqual([20, 2]);
    expect(await seal(api, id)).toBe(200);
    await api.completed(id);
    expect(await idsOf(api, id)).toEqual(makeRows(20, 5000).map((row) => row.id));
  });

  it('can be split as the message says, under the same number or others, and no row comes twice', async () => {
    const api = await startApi({ config });
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await sendTooLarge(api, id, 3);
    for (const [part, start] of [
      [3, 0],
      [4, 500],
      [5, 1000],
      [6, 1500],
    ] as const)
      expect((await api.send(id, part, rows.slice(start, start + 500))).status).toBe(201);
    expect(await seal(api, id)).toBe(200);
    const info = await api.completed(id);
    expect([info.rows.accepted, info.rows.done]).toEqual([2000, 2000]);
    expect(await idsOf(api, id)).toEqual(rows.map((row) => row.id));
  });

  it('leaves nothing of the batches that workers have done, and gives their credit back', async () => {
    const api = await startApi({ config });
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await sendTooLarge(api, id, 0);
    await until(() => api.collecting.credits.usedBytes === 0);
    const run = api.collecting.runs.get(id);
    expect(run.files.ledger.droppedBatches.size).toBeGreaterThan(10);
    await api.send(id, 1, makeRows(30));
    await seal(api, id);
    const info = await api.completed(id);
    expect([info.rows.done, info.batches.done, info.batches.stored]).toEqual([30, 3, 3]);
  });
});

describe('an interrupted part', () => {
  it('can be dropped, so that the run can be sealed', async () => {
    const api = await startApi({ config });
    const { id } = await api.create();
    const ending = new AbortController();
    const upload = api.call('POST', `/v1/runs/${id}/rows?part=0`, {
      headers: { 'content-type': 'application/x-ndjson' },
      body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from(linesOf(rows.slice(0, 200)))) }),
      duplex: 'half',
      signal: ending.signal,
    } as RequestInit);
    upload.catch(() => {});
    await until(async () => (await infoOf(api, id)).rows.accepted > 0);
    const drop = async () => (await api.call('DELETE', `/v1/runs/${id}/parts/0`)).status;
    expect(await drop()).toBe(409);
    ending.abort();
    await until(async () => (await drop()) === 204);
    expect((await infoOf(api, id)).rows.accepted).toBe(0);
    expect([await drop(), await seal(api, id)]).toEqual([204, 200]);
  });

  it('is not dropped once it is complete, nor with an invalid number', async () => {
    const api = await startApi({ config });
    const { id } = await api.create();
    await api.send(id, 0, makeRows(20));
    const complete = await api.call('DELETE', `/v1/runs/${id}/parts/0`);
    expect([complete.status, (await complete.json()).code]).toEqual([409, 'part-complete']);
    expect((await api.call('DELETE', `/v1/runs/${id}/parts/x`)).status).toBe(400);
    expect((await infoOf(api, id)).rows.accepted).toBe(20);
  });
});
