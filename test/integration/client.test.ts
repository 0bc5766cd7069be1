/** The client with a real producer, from rows to vectors, and the examples of its README. */

import { readFileSync } from 'node:fs';
import { EmbedmillClient } from '@embedmill/client';
import { describe, expect, it } from 'vitest';
import { makeRows, startApi } from '../support/api.ts';
import { HASH_DIM, startHashWorker } from '../support/hash-worker.ts';

describe('a client', () => {
  it('runs from rows to results', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const client = new EmbedmillClient({ url: api.url });
    const rows = makeRows(230);
    const run = await client.createRun({ name: 'whole way', batchRows: 20 });
    async function* source() {
      yield* rows;
    }
    const sent = await client.sendRows(run.id, source(), { maxRows: 100, gzip: true });
    expect(sent).toEqual({ parts: 3, accepted: 230, rejectedCount: 0, rejected: [] });
    expect((await client.getParts(run.id)).map(({ part, accepted }) => [part, accepted])).toEqual([
      [0, 100],
      [1, 100],
      [2, 30],
    ]);
    await client.seal(run.id);
    const done = await client.waitFor(run.id);
    expect(done).toMatchObject({ state: 'completed', rows: { accepted: 230, done: 230 } });

    const ids: string[] = [];
    const vectors: number[] = [];
    const sizes: number[] = [];
    for await (const batch of client.readVectors(run.id, { batchRows: 100 })) {
      expect(batch.vectors).toBeInstanceOf(Float32Array);
      expect(batch.vectors.length).toBe(batch.ids.length * batch.dim);
      sizes.push(batch.ids.length);
      ids.push(...batch.ids);
      vectors.push(...batch.vectors);
    }
    expect(sizes).toEqual([100, 100, 30]);
    expect(ids).toEqual(rows.map(({ id }) => id));
    const lines = await (
      (await api.call('GET', `/v1/runs/${run.id}/results?format=jsonl`)) as unknown as Response
    ).text();
    const expected = lines
      .trimEnd()
      .split('\n')
      .flatMap((line) => (JSON.parse(line) as { vector: number[] }).vector);
    expect(vectors).toEqual(expected.map(Math.fround));

    const report = [];
    for await (const row of client.readReport(run.id)) report.push(row);
    expect(report).toEqual([]);
    expect((await client.listRuns()).map(({ id }) => id)).toEqual([run.id]);
    await client.delete(run.id);
    await expect(client.getRun(run.id)).rejects.toMatchObject({ code: 'unknown-run', status: 404 });
  });

  it('closes an abandoned download', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const client = new EmbedmillClient({ url: api.url });
    const run = await client.createRun();
    await client.sendRows(run.id, makeRows(50));
    await client.seal(run.id);
    await client.waitFor(run.id);
    for await (const { ids } of client.readVectors(run.id, { batchRows: 10 })) {
      expect(ids).toHaveLength(10);
      break;
    }
    expect((await client.getRun(run.id)).state).toBe('completed');
  });
});

describe('packages/client/README.md', () => {
  it('has working examples', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const page = readFileSync(new URL('../../packages/client/README.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);
    expect(examples.length).toBeGreaterThan(1);
    const client = new EmbedmillClient({ url: api.url });
    const printed: unknown[][] = [];
    const print = { log: (...values: unknown[]) => printed.push(values) };
    const AsyncFunction = (async () => {}).constructor as new (
      ...code: string[]
    ) => (...given: unknown[]) => unknown;
    for (const code of examples) {
      const body = code.replace(/^import .*\n/gm, '').replace(/^const client = .*\n/gm, '');
      await new AsyncFunction('client', 'console', 'EmbedmillClient', body)(client, print, EmbedmillClient);
    }
    expect(printed).toEqual([
      [['B001', 'B002'], 2 * HASH_DIM],
      ['unknown-run', 404],
    ]);
  });
});
