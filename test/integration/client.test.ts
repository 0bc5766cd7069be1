/** The client with a real producer, from rows to vectors, and the examples of its README. */

import { readFileSync } from 'node:fs';
import { EmbedmillClient, type PartVectors, type VectorBlock } from '@embedmill/client';
import { describe, expect, it } from 'vitest';
import { makeRows, startApi } from '../support/api.ts';
import { HASH_DIM, hashVector, startHashWorker } from '../support/hash-worker.ts';

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

  it('reads the vectors of parts while the run goes on, and continues when a download is cut', async () => {
    const api = await startApi();
    let mayGoOn = () => {};
    const waits = new Promise<void>((resolve) => {
      mayGoOn = resolve;
    });
    await startHashWorker(api.redis, { before: ({ batch }) => (batch < 3 ? undefined : waits) });
    let cuts = 0;
    const client = new EmbedmillClient({
      url: api.url,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (!String(url).includes('/parts/1/results') || response.status !== 200 || cuts++ > 0)
          return response;
        // The first half of a part, then a broken connection.
        const bytes = new Uint8Array(await response.arrayBuffer());
        const halves = new ReadableStream({
          pull: (controller) => {
            controller.enqueue(bytes.subarray(0, bytes.length >> 1));
            controller.error(new TypeError('terminated'));
          },
        });
        return new Response(halves, response);
      },
    });
    const run = await client.createRun({ batchRows: 20 });
    const { id: _, ...unnamed } = makeRows(61)[60]!;
    await client.sendRows(run.id, [...makeRows(60), unnamed, { text: '' }], { maxRows: 40 });
    const read = client.followParts(run.id, [0, 1]);
    // Part 0 has the batches 0 and 1, part 1 waits for batch 3 as long as the run is open.
    const blocksOf = ({ value }: IteratorResult<PartVectors>): VectorBlock[] => value.blocks;
    const [first, second] = [await read.next(), read.next()];
    expect(blocksOf(first).flatMap(({ ids }) => ids)).toEqual(
      makeRows(60)
        .slice(0, 40)
        .map(({ id }) => id),
    );
    expect(await client.getRun(run.id)).toMatchObject({ state: 'open', batches: { total: 4 } });
    mayGoOn();
    await client.seal(run.id);
    const blocks = blocksOf(await second);
    expect(cuts).toBeGreaterThan(1);
    expect(blocks.map(({ ids }) => ids.length)).toEqual([20, 2]);
    expect(blocks[1]?.ids).toEqual([null, null]);
    expect(blocks[1]?.missing).toEqual([
      { row: 1, line: 22, verdict: 'empty', message: 'the text is empty' },
    ]);
    expect([...(blocks[1]?.vectors ?? [])]).toEqual([
      ...hashVector(unnamed.text),
      ...new Float32Array(HASH_DIM),
    ]);
    expect((await read.next()).done).toBe(true);
  });

  it('continues a part at any row, and receives it in small blocks', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const client = new EmbedmillClient({ url: api.url });
    const run = await client.createRun({ batchRows: 3000, batchTokens: 100_000 });
    const rows = makeRows(4000).map((row, n) => (n % 700 === 9 ? { ...row, text: '' } : row));
    await client.sendRows(run.id, rows, { maxRows: 4000 });
    await client.seal(run.id);
    /** Ids, and numbers of the rows without a vector. */
    const readFrom = async (start: number) => {
      const skipped = {
        ids: Array(start).fill(null),
        dim: HASH_DIM,
        vectors: new Float32Array(),
        missing: [],
      };
      const blocks = await client.readPart(run.id, 0, { received: start === 0 ? [] : [skipped] });
      const received = start === 0 ? blocks : blocks.slice(1);
      const missing: number[] = [];
      let first = start;
      for (const block of received) {
        for (const { row } of block.missing) missing.push(first + row);
        first += block.ids.length;
      }
      return {
        ids: received.flatMap(({ ids }) => ids),
        missing,
        vectors: Buffer.concat(received.map(({ vectors }) => Buffer.from(vectors.slice().buffer))),
        maxBytes: Math.max(0, ...received.map(({ vectors }) => vectors.byteLength)),
      };
    };
    const whole = await readFrom(0);
    expect(whole.ids).toEqual(rows.map(({ id }) => id));
    expect(whole.missing).toEqual([9, 709, 1409, 2109, 2809, 3509]);
    for (const start of [1, 2809, 2999, 3000, 3001, 3999, 4000]) {
      const rest = await readFrom(start);
      expect(rest.ids).toEqual(whole.ids.slice(start));
      expect(rest.missing).toEqual(whole.missing.filter((row) => row >= start));
      expect(rest.vectors.equals(whole.vectors.subarray(4 * HASH_DIM * start))).toBe(true);
    }
    expect(whole.maxBytes).toBe(128 * 1024);
  });

  it('does not wait for a part that will never come', async () => {
    const api = await startApi();
    const client = new EmbedmillClient({ url: api.url });
    const run = await client.createRun();
    const waiting = expect(client.readPart(run.id, 0)).rejects.toMatchObject({ code: 'run-ended' });
    const soon = await api.call('GET', `/v1/runs/${run.id}/parts/0/results?waitMs=1`);
    expect(soon.status).toBe(204);
    await client.cancel(run.id);
    await waiting;
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
    expect(printed).toEqual([[['B001', 'B002'], 2 * HASH_DIM], [['battery']], ['unknown-run', 404]]);
  });
});
