/** Search in a completed run: rows nearest to a text, texts of rows, and the cache of vectors. */

import { PackedVectors } from '@embedmill/analysis';
import { EmbedmillClient } from '@embedmill/client';
import type { RunInfo, SearchAnswer } from '@embedmill/contract';
import { decodeBatchResult, encodeBatchResult, withResultDigest } from '@embedmill/core/batch';
import type { BatchJob } from '@embedmill/core/redis';
import { describe, expect, it } from 'vitest';
// The cache behind the route, which no package exports.
import { SearchIndexes } from '../../apps/producer/src/native/search-indexes.ts';
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
      await search(run, { text: 'the phone runs out of power quickly', mode: 'vector' })
    ).json()) as SearchAnswer;
    expect(answer.rows).toBe(5);
    expect(answer.hits).toHaveLength(4);
    expect(answer.hits[0]).toMatchObject({ row: 0, id: 't0', text: TEXTS[0] });
    expect(answer.hits.map(({ score }) => score)).toEqual(
      answer.hits.map(({ score }) => score).sort((a, b) => b! - a!),
    );
    const same = (await (await search(run, { text: TEXTS[4], count: 1 })).json()) as SearchAnswer;
    expect(same.hits).toMatchObject([{ row: 4, id: 't4' }]);
    expect(same.hits[0]!.score).toBeCloseTo(1, 5);
    // Unrelated texts of the built-in model have a mean cosine of 0.094.
    expect(answer.baseline).toMatchObject({ mean: 0.094 });
    for (const { score, relative } of [...answer.hits, ...same.hits])
      expect(relative).toBeCloseTo((score! - 0.094) / (1 - 0.094), 6);

    const nothing = (await (await search(run, { text: ' ' })).json()) as SearchAnswer;
    expect(nothing).toMatchObject({ outcome: { verdict: 'empty' }, hits: [] });

    const texts = await call('GET', `/v1/runs/${run}/texts?rows=4,0,99,3`);
    expect(await texts.json()).toEqual({
      rows: [4, 0, 3].map((row) => ({ row, id: `t${row}`, text: TEXTS[row], columns: {} })),
    });
    expect((await call('GET', `/v1/runs/${run}/texts?rows=1,,2`)).status).toBe(400);
    expect((await search(run, { text: 'x', count: 0 })).status).toBe(422);
  });

  it('fuses meaning and words, says why each row was found, and finds rows like a row', async () => {
    const run = await startedRun();
    await completed(run);
    const ask = async (body: object) => (await (await search(run, body)).json()) as SearchAnswer;
    const both = await ask({ text: 'Kettle for a warm drink' });
    expect(both.hits.slice(0, 2).map(({ row }) => row)).toEqual([4, 1]);
    expect(both.hits[0]).toMatchObject({
      rank: { vector: 1, words: expect.any(Number) },
      words: expect.arrayContaining(['kettle']),
      spans: expect.arrayContaining([[5, 11]]),
      reason: expect.stringMatching(/^1st nearest by meaning; [12](st|nd) by words: .*kettle/),
    });
    const words = await ask({ text: 'KETTLE, parcels', mode: 'words' });
    expect(words).toMatchObject({
      outcome: null,
      mode: 'words',
      hits: [{ row: 4, score: null, rank: { vector: null, words: 1 }, reason: '1st by words: kettle' }],
    });
    const client = new EmbedmillClient({ url: lane.producer.url });
    expect((await client.search(run, { text: 'kettle', mode: 'words' })).hits).toMatchObject([{ row: 4 }]);
    const like = await ask({ like: 4, count: 3 });
    expect(like).toMatchObject({ outcome: null, mode: 'vector' });
    expect(like.hits.map(({ row }) => row).sort()).toEqual([0, 1, 2]);
    expect(like.hits[0]).toMatchObject({ reason: '1st nearest by meaning', words: [], spans: [] });
    expect((await search(run, { like: 3 })).status).toBe(422);
    expect((await search(run, { like: 99 })).status).toBe(422);
    expect((await search(run, { like: 4, text: 'x' })).status).toBe(422);
    expect((await search(run, {})).status).toBe(422);
  });

  it('searches only the rows that match a filter', async () => {
    const { id } = (await (await call('POST', '/v1/runs', '{}')).json()) as RunInfo;
    const rows = TEXTS.map((text, i) => ({
      id: `t${i}`,
      text,
      stars: i,
      shop: i % 2 === 0 ? 'north' : 'south',
    }));
    await call(
      'POST',
      `/v1/runs/${id}/rows?part=0&columns=stars,shop`,
      linesOf(rows),
      'application/x-ndjson',
    );
    await completed(id);
    const rowsOf = async (body: object) =>
      ((await (await search(id, body)).json()) as SearchAnswer).hits.map(({ row }) => row);
    for (const mode of ['hybrid', 'vector', 'words']) {
      const filter = { columns: { shop: { in: ['south'] } } };
      expect(await rowsOf({ text: 'A kettle that kept me dry', mode, filter })).toEqual([1]);
    }
    expect(await rowsOf({ text: 'kettle', filter: { columns: { stars: { from: 3 } } } })).toEqual([4]);
    expect(
      await rowsOf({ like: 4, filter: { columns: { length: { from: 1 }, stars: { from: 2 } } } }),
    ).toEqual([2]);
    const hit = (await (await search(id, { text: 'kettle', count: 1 })).json()) as SearchAnswer;
    expect(hit.hits[0]?.columns).toEqual({ stars: 4, shop: 'north' });
    const unknown = await search(id, { text: 'kettle', filter: { columns: { colour: { in: ['red'] } } } });
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'unknown-column' }]);
  });

  it('treats the query like its rows, with its glossary', async () => {
    const glossary = [['ZK9', 'kettle']];
    const [run, plain] = await Promise.all([startedRun({ glossary, clean: ['html'] }), startedRun()]);
    await Promise.all([completed(run), completed(plain)]);
    const asked = { text: 'This <b>ZK9</b> boils a litre in two minutes.', count: 1 };
    const found = (await (await search(run, asked)).json()) as SearchAnswer;
    expect(found).toMatchObject({ outcome: { replacements: 1 }, hits: [{ row: 4, text: TEXTS[4] }] });
    expect(found.hits[0]!.score).toBeCloseTo(1, 5);
    const without = (await (await search(plain, asked)).json()) as SearchAnswer;
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

/** A vector with length 1, as all models produce. */
function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** The result with vectors of length 1. */
function toUnitLength(bytes: Uint8Array, { digest }: BatchJob): Uint8Array {
  const { vectors, ...result } = decodeBatchResult(bytes);
  for (let at = 0; at < vectors.length; at += HASH_DIM)
    vectors.set(unit(vectors.subarray(at, at + HASH_DIM)), at);
  return withResultDigest(encodeBatchResult({ ...result, vectors }), digest!);
}

describe('indexes in memory', () => {
  it('stay within the limit, evict the least recently searched run, and do not change the hits', async () => {
    const redis = testRedis();
    await startHashWorker(redis, { tamper: toUnitLength });
    const { submit } = await startCollecting(redis, temporaryFolder());
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
    const runs = await Promise.all([submit(texts), submit(texts), submit(texts)]);
    await Promise.all(runs.map((run) => whenEnded(run)));
    const [first, second, third] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];
    const vectorBytes = PackedVectors.bytesOf(50, HASH_DIM);
    const query = unit(hashVector('text 7'));
    const options = { count: 5, mask: null };

    const none = new SearchIndexes(1000);
    const nearest = await none.nearest(first, query, options);
    expect(nearest[0]).toMatchObject({ row: 7, score: expect.closeTo(1, 6) });
    const words = await none.withWords(first, 'Text 7', options);
    expect(words.rows.map(({ row }) => row)).toEqual([7, 0, 1, 2, 3]);
    expect([...words.terms]).toEqual(['7']);
    expect(none.usedBytes).toBe(0);
    const odd = Uint8Array.from(texts, (_, row) => row % 2);
    const oddHits = await none.nearest(first, query, { count: 50, mask: odd });
    expect(oddHits.map(({ row }) => row % 2)).toEqual(new Array(25).fill(1));

    const two = new SearchIndexes(2 * vectorBytes);
    for (const run of [first, second, first, third])
      expect(await two.nearest(run, query, options)).toEqual(nearest);
    expect(await two.nearest(first, query, { count: 50, mask: odd })).toEqual(oddHits);
    expect(two.usedBytes).toBe(2 * vectorBytes);
    // Of the two that are left, the first must not be read again, so that damage on its disk is not seen.
    const { shards } = first.files;
    const read = shards.read.bind(shards);
    shards.read = () => Promise.reject(new Error('it was read again'));
    expect((await two.nearly(first, query, options)).map(({ row }) => row)).toEqual(
      nearest.map(({ row }) => row),
    );
    await expect(two.nearly(second, query, options)).resolves.toHaveLength(5);
    await expect(two.nearest(first, query, options)).rejects.toThrow('it was read again');
    shards.read = read;

    // Words that do not fit beside the vectors of their run do not evict them.
    const tight = new SearchIndexes(vectorBytes + 1000);
    await tight.nearly(first, query, options);
    expect((await tight.withWords(first, 'Text 7', options)).rows).toEqual(words.rows);
    expect(tight.usedBytes).toBe(vectorBytes);

    const all = new SearchIndexes(1024 * 1024 * 1024);
    const found = await Promise.all([
      all.withWords(first, 'Text 7', options),
      all.nearest(first, query, options),
    ]);
    expect(found).toEqual([words, nearest]);
    expect(all.usedBytes).toBeGreaterThan(vectorBytes);
    all.release(first.id);
    expect(all.usedBytes).toBe(0);
  });

  it('are built once by concurrent searches, and again after the run has ended again, and freed with the run', async () => {
    const redis = testRedis();
    await startHashWorker(redis, { tamper: toUnitLength });
    const { submit, runs } = await startCollecting(redis, temporaryFolder());
    const run = await submit(Array.from({ length: 50 }, (_, i) => `text ${i}`));
    await whenEnded(run);
    const { rowLog } = run.files;
    const read = rowLog.read.bind(rowLog);
    let reads = 0;
    rowLog.read = (span) => {
      reads += 1;
      return read(span);
    };
    const indexes = new SearchIndexes(1024 * 1024 * 1024);
    const search = () => indexes.withWords(run, 'text 7', { count: 1, mask: null });
    const hits = await Promise.all([search(), search(), search()]);
    expect(hits.map(({ rows }) => rows[0]?.row)).toEqual([7, 7, 7]);
    expect(reads).toBe(run.files.ledger.batches.length);

    const info = run.info.bind(run);
    run.info = () => ({ ...info(), endedAt: '2030-01-01T00:00:00.000Z' });
    await search();
    expect(reads).toBe(2 * run.files.ledger.batches.length);

    expect(indexes.usedBytes).toBeGreaterThan(0);
    runs.onRemoved((id) => indexes.release(id));
    await runs.remove(run.id);
    expect(indexes.usedBytes).toBe(0);
  });
});
