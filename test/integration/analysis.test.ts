/** The analysis of a run: its states, topics, map and near-duplicates, stored with the run. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const ROWS = Array.from({ length: 60 }, (_, i) => ({
  id: `r${i}`,
  // Rows 50 to 59 repeat rows 0 to 9, and row 20 has no vector.
  text: i === 20 ? '' : `opinion ${i % 50} about ${i % 2 === 0 ? 'fast delivery' : 'broken zipper'}`,
}));

async function completedRun(api: TestApi): Promise<string> {
  await startHashWorker(api.redis);
  const { id } = await api.create({ batchRows: 7 });
  await api.call('POST', `/v1/runs/${id}/rows?part=0`, {
    headers: { 'content-type': 'application/x-ndjson' },
    body: ROWS.map((row) => JSON.stringify(row)).join('\n'),
  });
  await api.call('POST', `/v1/runs/${id}/seal`);
  await api.completed(id);
  return id;
}

const json = (body: object) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const status = async (api: TestApi, id: string) => (await api.call('GET', `/v1/runs/${id}/analysis`)).json();

async function analysed(api: TestApi, id: string, body: object = {}) {
  const asked = await api.call('POST', `/v1/runs/${id}/analysis`, json(body));
  expect(asked.status).toBe(202);
  await until(async () => !['waiting', 'running'].includes((await status(api, id)).state));
  return await status(api, id);
}

const bytes = async (api: TestApi, path: string) =>
  new Uint8Array(await (await api.call('GET', `/v1/runs/${path}`)).arrayBuffer());

describe('the analysis of a run', () => {
  it('goes from none to ready, and gives topics, map and near-duplicates in row order', async () => {
    const api = await startApi();
    const id = await completedRun(api);
    expect(await status(api, id)).toMatchObject({ state: 'none', rows: 60, topics: null });
    const early = await api.call('GET', `/v1/runs/${id}/topics`);
    expect([early.status, (await early.json()).code]).toEqual([409, 'not-analysed']);

    expect(await analysed(api, id, { topics: 4 })).toMatchObject({
      state: 'ready',
      topics: 4,
      requestedTopics: 4,
    });
    const { topics } = await (await api.call('GET', `/v1/runs/${id}/topics`)).json();
    expect(topics).toHaveLength(4);
    expect(topics.reduce((sum: number, topic: { rows: number }) => sum + topic.rows, 0)).toBe(59);
    expect(topics[0]).toMatchObject({ topic: 0, isRenamed: false, examples: expect.any(Array) });
    for (const { examples } of topics) {
      for (const { row, id: rowId, text } of examples) expect({ id: rowId, text }).toEqual(ROWS[row]);
    }

    const map = new Float32Array((await bytes(api, `${id}/map`)).buffer);
    expect(map).toHaveLength(120);
    expect([...map.keys()].filter((i) => Number.isNaN(map[i]))).toEqual([40, 41]);

    const rows = await bytes(api, `${id}/topics/rows`);
    expect(rows.byteLength).toBe(60 * 6);
    const scores = new Float32Array(rows.buffer, 0, 60);
    const topicOf = new Int16Array(rows.buffer, 240, 60);
    expect([topicOf[20], scores[20]]).toEqual([-1, Number.NaN]);
    for (const { topic, rows: size } of topics) {
      expect(topicOf.filter((of) => of === topic)).toHaveLength(size);
    }
    const search = json({ like: 0, count: 60, filter: { topics: [1, 2] } });
    const { hits } = await (await api.call('POST', `/v1/runs/${id}/search`, search)).json();
    expect(hits).toHaveLength([...topicOf].filter((of, row) => (of === 1 || of === 2) && row !== 0).length);
    expect(hits.every(({ row }: { row: number }) => [1, 2].includes(topicOf[row]!))).toBe(true);

    const { groups, groupCount, rowsInGroups } = await (
      await api.call('GET', `/v1/runs/${id}/duplicates`)
    ).json();
    // The vectors of the test worker are all similar to each other.
    expect([groups.length, groupCount, rowsInGroups]).toEqual([1, 1, 59]);
    expect(groups[0].representative).toEqual({ row: 0, ...ROWS[0] });
    expect(groups[0].rows.find(({ row }: { row: number }) => row === 50).score).toBeCloseTo(1);
  });

  it('gives the same bytes again, and keeps the names of topics that are found again', async () => {
    const api = await startApi();
    const id = await completedRun(api);
    await analysed(api, id, { topics: 3 });
    const first = [await bytes(api, `${id}/map`), await bytes(api, `${id}/topics/rows`)];
    const named = await api.call('PATCH', `/v1/runs/${id}/topics/1`, json({ name: '  Slow parcels ' }));
    expect(await named.json()).toMatchObject({ topic: 1, name: 'Slow parcels', isRenamed: true });
    expect((await api.call('PATCH', `/v1/runs/${id}/topics/3`, json({ name: 'x' }))).status).toBe(404);
    expect((await api.call('PATCH', `/v1/runs/${id}/topics/1`, json({ name: 'a\u0000' }))).status).toBe(422);

    await analysed(api, id, { topics: 2 });
    await analysed(api, id, { topics: 3 });
    expect([await bytes(api, `${id}/map`), await bytes(api, `${id}/topics/rows`)]).toEqual(first);
    const { topics } = await (await api.call('GET', `/v1/runs/${id}/topics`)).json();
    expect(topics[1]).toMatchObject({ name: 'Slow parcels', isRenamed: true });
    await api.call('PATCH', `/v1/runs/${id}/topics/1`, json({ name: null }));
    const after = await (await api.call('GET', `/v1/runs/${id}/topics`)).json();
    expect(after.topics[1]).toMatchObject({ isRenamed: false });
  });

  it('survives an export and an import, counts a damaged file as missing, and is refused for impossible requests', async () => {
    const api = await startApi();
    const id = await completedRun(api);
    await analysed(api, id);
    const places = await bytes(api, `${id}/map`);
    const archive = await bytes(api, `${id}/export`);
    const copy = await (await api.call('POST', '/v1/runs/import?asNew=true', { body: archive })).json();
    expect(await bytes(api, `${copy.id}/map`)).toEqual(places);

    await writeFile(join(api.dataDir, 'runs', id, 'analysis.bin'), 'EMANALYS and so on, but nothing else');
    expect(await status(api, id)).toMatchObject({ state: 'none' });
    expect(await analysed(api, id)).toMatchObject({ state: 'ready' });
    expect(await bytes(api, `${id}/map`)).toEqual(places);

    const tooMany = await api.call('POST', `/v1/runs/${id}/analysis`, json({ topics: 61 }));
    expect([tooMany.status, (await tooMany.json()).code]).toEqual([422, 'too-many-topics']);
    expect((await api.call('DELETE', `/v1/runs/${id}`)).status).toBe(204);
    expect((await api.call('GET', `/v1/runs/${id}/analysis`)).status).toBe(404);
  });
});
