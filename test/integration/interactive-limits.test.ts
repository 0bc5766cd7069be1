/**
 * The interactive lane under deadlines, limits, disconnecting clients and texts that crash threads. The
 * engine computes hashes and takes as long as a text says.
 */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { until } from '../support/api.ts';
import { type EmbedJson, laneClientForAll, laneForAll, postEmbed } from '../support/lane.ts';

const MAX_TEXTS = 40;
const lane = laneForAll(
  { threads: 1, interactiveTexts: MAX_TEXTS },
  new URL('../fixtures/engines/hash.mjs', import.meta.url),
);

const client = laneClientForAll(lane);

const ask = (texts: readonly string[], init?: RequestInit) => postEmbed(lane.producer.url, { texts }, init);

async function vectorsOf(texts: readonly string[]): Promise<EmbedJson['vectors']> {
  const response = await ask(texts);
  expect(response.status).toBe(200);
  return ((await response.json()) as EmbedJson).vectors;
}

/** First floats of the engine's vector of a text. */
const startOf = (text: string) =>
  Array.from(createHash('sha256').update(text).digest().subarray(0, 4), (byte) => Math.fround(byte / 255));

const starts = (vectors: EmbedJson['vectors']) =>
  vectors.map((vector) => (vector as number[]).slice(0, 4).map(Math.fround));

/** Value of a series of the producer or the worker, 0 while it is missing. */
async function series(name: string, url = lane.worker.url): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}

const embedded = () => series('embedmill_texts_total{lane="interactive",verdict="ok"}');
const messages = (state: string) =>
  series(`embedmill_queue_batches{lane="interactive",state="${state}"}`, lane.producer.url);

describe('callers', () => {
  it('get the vectors of their own texts, in order, however many call at once', async () => {
    const calls = Array.from({ length: 20 }, (_, call) =>
      Array.from({ length: 1 + (call % 3) }, (_, row) => `text ${row} of call ${call}`),
    );
    const answers = await Promise.all(calls.map(vectorsOf));
    expect(answers.map(starts)).toEqual(calls.map((texts) => texts.map(startOf)));
  });

  it('may send more texts than fit in a message, and more than the limit when no others are in flight', async () => {
    const texts = Array.from({ length: 3 * MAX_TEXTS }, (_, row) => `row ${row}`);
    expect(starts(await vectorsOf(texts))).toEqual(texts.map(startOf));
  });
});

describe('a long call', () => {
  it('lets a short one pass between its parts', async () => {
    const order: string[] = [];
    const texts = Array.from({ length: 300 }, (_, row) => `sleep-8 ${row}`);
    const options = { precision: 'int8', truncate: 'end' } as const;
    const long = client()
      .embed(texts, options)
      .then(() => order.push('long'));
    await until(async () => (await messages('waiting')) > 0);
    await vectorsOf(['short']);
    order.push('short');
    await long;
    expect(order).toEqual(['short', 'long']);
  });
});

describe('a deadline', () => {
  it('ends the call with 504, and texts not started by then are never embedded', async () => {
    const expired = () => series('embedmill_interactive_calls_total{outcome="expired"}', lane.producer.url);
    const before = { embedded: await embedded(), expired: await expired() };
    const texts = ['sleep-800', ...Array.from({ length: 9 }, (_, row) => `too late ${row}`)];
    const response = await ask(texts, { headers: { 'request-timeout-ms': '300' } });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: 'deadline-exceeded' });
    await vectorsOf(['after it']);
    expect(await embedded()).toBe(before.embedded + 1);
    expect(await expired()).toBe(before.expired + 1);
  });

  it.each(['0', 'soon', '-5', '1.5', '9999999'])('of %s milliseconds is rejected', async (given) => {
    const response = await ask(['a'], { headers: { 'request-timeout-ms': given } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid-headers' });
  });
});

describe('a client that disconnects', () => {
  it('cancels its texts, including those queued in Redis', async () => {
    const before = await embedded();
    const disconnecting = new AbortController();
    // This worker holds at most two texts; the third stays in Redis.
    const calls = ['sleep-3000 a', 'b', 'c', 'd'].map(async (text, call) => {
      if (call > 0)
        await until(
          async () => (await series('embedmill_interactive_texts_in_flight', lane.producer.url)) >= call,
        );
      return ask([text], { signal: disconnecting.signal }).catch((error: Error) => error.name);
    });
    await until(async () => (await messages('waiting')) > 0);
    disconnecting.abort();
    expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError', 'AbortError', 'AbortError']);
    await until(async () => (await messages('waiting')) === 0);
    await vectorsOf(['after it']);
    expect((await embedded()) - before).toBe(1);
    expect(
      await series('embedmill_interactive_calls_total{outcome="cancelled"}', lane.producer.url),
    ).toBeGreaterThanOrEqual(4);
  });
});

describe('too many texts', () => {
  it('are rejected with 429 and the time until there is room', async () => {
    const first = ask(['sleep-2000', ...Array.from({ length: MAX_TEXTS - 1 }, (_, row) => `waits ${row}`)]);
    const inFlight = () => series('embedmill_interactive_texts_in_flight', lane.producer.url);
    await until(async () => (await inFlight()) === MAX_TEXTS);
    const refused = await ask(['one more']);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'overloaded' });
    const seconds = Number(refused.headers.get('retry-after'));
    const milliseconds = Number(refused.headers.get('retry-after-ms'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(Math.ceil(milliseconds / 1000)).toBe(seconds);
    expect((await first).status).toBe(200);
    expect((await ask(['one more'])).status).toBe(200);
  });
});

describe('a text that crashes its thread', () => {
  it('fails alone: the others of its call and of other calls are answered', async () => {
    const poison = ask(['before it', 'kill-the-thread!', 'after it']);
    const others = ['one', 'two', 'three'].map((text) => vectorsOf([text]));
    expect((await Promise.all(others)).map(starts)).toEqual(
      ['one', 'two', 'three'].map((text) => [startOf(text)]),
    );
    const { outcomes, vectors } = (await (await poison).json()) as EmbedJson;
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'failed', 'ok']);
    expect(vectors[1]).toBeNull();
  });
});

describe('a request', () => {
  it.each([
    [{}, 'expected either text or texts'],
    [{ text: 'a', texts: ['b'] }, 'expected either text or texts'],
    [{ text: 'a', chunkSpans: true }, 'expected long to be mean, plain-mean or max-chunks=N'],
    [{ texts: [] }, 'texts'],
    [{ texts: ['a', 7] }, 'expected a text or a list of token ids'],
    [{ text: [1, -1] }, 'text.1'],
    [{ text: 'a', encoding: 'hex' }, 'encoding'],
  ])('with body %j is rejected with the reason', async (body, expected) => {
    const response = await postEmbed(lane.producer.url, body);
    expect(response.status).toBe(422);
    const problem = (await response.json()) as { code: string; detail: string };
    expect(problem.code).toBe('invalid-body');
    expect(problem.detail).toContain(expected);
  });

  it('for a model that no worker has is rejected with the available models', async () => {
    const response = await postEmbed(lane.producer.url, { text: 'a', model: 'another-model' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ code: 'unknown-model', models: ['all-MiniLM-L6-v2'] });
  });
});
