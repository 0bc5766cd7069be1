/** Search in a completed run: rows nearest to a text, texts of rows, and the cache of vectors. */

import type { RunInfo } from '@embedmill/contract';
import { readResults } from '@embedmill/core/runs';
import { describe, expect, it } from 'vitest';
// The cache behind the route, which no package exports.
import { RunVectors } from '../../apps/producer/src/native/run-vectors.ts';
import { linesOf, until } from '../support/api.ts';
import { startCollecting, whenEnded } from '../support/collecting.ts';
import { temporaryFolder } from '../support/folder.ts';
import { HASH_DIM, hashVector, startHashWorker } from '../support/hash-worker.ts';
import { type EmbedJson, laneForAll, postEmbed } from '../support/lane.ts';
import { testRedis } from '../support/redis.ts';

const lane = laneForAll();

const TEXTS = [
  'The battery is empty after half a day.',
  'A warm coat that kept me dry in the rain.',
  'The courier left my parcel with a neighbour.',
  '',
  'This kettle boils a litre in two minutes.',
];

/** The parts of the responses that the tests read. */
interface Found {
  hits: { row: number; id: string; text: string; score: number; relative: number | null }[];
  baseline: { mean: number } | null;
  rows: number;
  outcome: { verdict: string; replacements?: number };
}

async function call(method: string, path: string, body?: string, type = 'application/json') {
  const init = body === undefined ? {} : { headers: { 'content-type': type }, body };
  return await fetch(`${lane.producer.url}${path}`, { method, ...init });
}

async function startedRun(options: object = {}): Promise<string> {
  const body = JSON.stringify({ batchRows: 2, ...options });
  const { id } = (await (await call('POST', '/v1/runs', body)).json()) as RunInfo;
  const rows = TEXTS.map((text, i) => ({ id: `t${i}`, text }));
  await call('POST', `/v1/runs/${id}/rows?part=0`, linesOf(rows), 'application/x-ndjson');
  return id;
}

async function completed(run: string): Promise<void> {
  await call('POST', `/v1/runs/${run}/seal`);
  const stateOf = async () => ((await (await call('GET', `/v1/runs/${run}`)).json()) as RunInfo).state;
  await until(async () => (await stateOf()) === 'completed');
}

const search = (run: string, body: unknown) => call('POST', `/v1/runs/${run}/search`, JSON.stringify(body));

describe('a completed run', () => {
  it('finds rows by meaning and skips rows without a vector', async () => {
    const run = await startedRun();
    const early = await search(run, { text: 'power' });
    expect([early.status, ((await early.json()) as { code: string }).code]).toEqual([
      409,
      'run-not-completed',
    ]);
    await completed(run);

    const answer = (await (
      await search(run, { text: 'the phone runs out of power quickly' })
    ).json()) as Found;
    expect(answer.rows).toBe(5);
    expect(answer.hits).toHaveLength(4);
    expect(answer.hits[0]).toMatchObject({ row: 0, id: 't0', text: TEXTS[0] });
    expect(answer.hits.map(({ score }) => score)).toEqual(
      answer.hits.map(({ score }) => score).sort((a, b) => b - a),
    );
    const same = (await (await search(run, { text: TEXTS[4], count: 1 })).json()) as Found;
    expect(same.hits).toMatchObject([{ row: 4, id: 't4' }]);
    expect(same.hits[0]!.score).toBeCloseTo(1, 5);
    // Unrelated texts of the built-in model have a mean cosine of 0.094.
    expect(answer.baseline).toMatchObject({ mean: 0.094 });
    for (const { score, relative } of [...answer.hits, ...same.hits])
      expect(relative).toBeCloseTo((score - 0.094) / (1 - 0.094), 6);

    const nothing = (await (await search(run, { text: ' ' })).json()) as Found;
    expect(nothing).toMatchObject({ outcome: { verdict: 'empty' }, hits: [] });

    const texts = await call('GET', `/v1/runs/${run}/texts?rows=4,0,99,3`);
    expect(await texts.json()).toEqual({
      rows: [4, 0, 3].map((row) => ({ row, id: `t${row}`, text: TEXTS[row], columns: {} })),
    });
    expect((await call('GET', `/v1/runs/${run}/texts?rows=1,,2`)).status).toBe(400);
    expect((await search(run, { text: 'x', count: 0 })).status).toBe(422);
  });

  it('treats the query like its rows, with its glossary', async () => {
    const glossary = [['ZK9', 'kettle']];
    const [run, plain] = await Promise.all([startedRun({ glossary, clean: ['html'] }), startedRun()]);
    await Promise.all([completed(run), completed(plain)]);
    const asked = { text: 'This <b>ZK9</b> boils a litre in two minutes.', count: 1 };
    const found = (await (await search(run, asked)).json()) as Found;
    expect(found).toMatchObject({ outcome: { replacements: 1 }, hits: [{ row: 4, text: TEXTS[4] }] });
    expect(found.hits[0]!.score).toBeCloseTo(1, 5);
    const without = (await (await search(plain, asked)).json()) as Found;
    expect(without.outcome).not.toHaveProperty('replacements');
    expect(without.hits[0]!.score).toBeLessThan(0.99);
  });

  it('provides its glossary for interactive requests', async () => {
    const run = await startedRun({ glossary: [['ZK9', 'kettle']] });
    const embed = async (body: object) => {
      const response = await postEmbed(lane.producer.url, { encoding: 'base64', ...body });
      return { status: response.status, ...((await response.json()) as EmbedJson) };
    };
    const asked = { text: 'A quiet ZK9.', glossaryOf: run, long: 'mean', chunkSpans: true };
    const lent = await embed(asked);
    const written = await embed({ text: 'A quiet kettle.' });
    expect(lent.vectors).toEqual(written.vectors);
    expect(lent.fingerprint).not.toBe(written.fingerprint);
    expect(lent.outcomes).toMatchObject([{ replacements: 1, treated: 'A quiet kettle.' }]);
    const plain = await embed({ ...asked, glossaryOf: await startedRun() });
    expect(plain.outcomes[0]).not.toHaveProperty('replacements');
    expect(await embed({ ...asked, glossaryOf: 'nobody' })).toMatchObject({
      status: 404,
      code: 'unknown-run',
    });
  });
});

describe('vectors in memory', () => {
  it('stay within the limit, evict the least recently searched run, and do not change the hits', async () => {
    const redis = testRedis();
    await startHashWorker(redis);
    const { submit } = await startCollecting(redis, temporaryFolder());
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
    const runs = await Promise.all([submit(texts), submit(texts), submit(texts)]);
    await Promise.all(runs.map((run) => whenEnded(run)));
    const [first, second, third] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];
    const oneRun = 50 * (HASH_DIM * 4 + 64);
    const query = hashVector('text 7');
    const rowsOf = async (vectors: RunVectors, run: (typeof runs)[0]) =>
      (await vectors.search(run, query, 5)).map(({ row }) => row);

    const none = new RunVectors(oneRun - 1);
    const fromDisk = await rowsOf(none, first);
    expect(none.usedBytes).toBe(0);

    const two = new RunVectors(2 * oneRun);
    for (const run of [first, second, first, third]) expect(await rowsOf(two, run)).toEqual(fromDisk);
    expect(two.usedBytes).toBe(2 * oneRun);
    // Of the two that are left, the first must not be read again, so that damage on its disk is not seen.
    const { shards } = first.files;
    shards.read = () => Promise.reject(new Error('it was read again'));
    expect(await rowsOf(two, first)).toEqual(fromDisk);
    await expect(readResults(first).next()).rejects.toThrow('it was read again');
  });
});
