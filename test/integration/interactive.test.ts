/** The interactive lane with the real model: one producer and one worker serve all tests. */

import { EmbedmillClient } from '@embedmill/client';
import type { Treatment } from '@embedmill/contract';
import { vectorFingerprint } from '@embedmill/core/batch';
import { describe, expect, it } from 'vitest';
import { linesOf, until } from '../support/api.ts';
import { type EmbedJson, laneClientForAll, laneForAll, postEmbed } from '../support/lane.ts';
import { AWKWARD_TEXTS, longText, PLAIN_TEXTS } from '../support/texts.ts';

const lane = laneForAll();
const client = laneClientForAll(lane);

async function embed(body: unknown): Promise<EmbedJson> {
  const response = await postEmbed(lane.producer.url, body);
  expect(response.status).toBe(200);
  return (await response.json()) as EmbedJson;
}

describe('POST /v1/embed', () => {
  it('returns the same vector as a bulk run, bit for bit', async () => {
    const texts = [...PLAIN_TEXTS, ...AWKWARD_TEXTS, longText(400)];
    const bulk = await embedInBulk(texts);
    const { vectors, dim, fingerprint, outcomes } = await embed({ texts, encoding: 'base64' });
    expect([dim, fingerprint]).toEqual([384, lane.worker.fingerprint]);
    expect(vectors).toEqual(bulk);
    expect(outcomes.at(-1)).toMatchObject({ verdict: 'truncated', tokens: 256 });
  });

  it.each(['mean', 'plain-mean'] as const)(
    'treats texts as a run with the same options, under the same fingerprint: %s',
    async (long) => {
      const texts = ['<i>Fits</i> &amp; works', longText(400)];
      const options = { clean: ['html'], long, prompt: 'query: ' } as const;
      const treatment: Treatment = { ...options, glossary: null };
      const { vectors, fingerprint, outcomes } = await embed({ texts, encoding: 'base64', ...options });
      expect(vectors).toEqual(await embedInBulk(texts, options));
      expect(fingerprint).toBe(vectorFingerprint(lane.worker.fingerprint, treatment));
      expect(outcomes[1]).toMatchObject({ verdict: 'ok', chunks: 2, lostTokens: 0 });
      const asWritten = await embed({ text: 'query: Fits & works', encoding: 'base64' });
      expect(vectors[0]).toBe(asWritten.vectors[0]);
    },
  );

  it('returns the spans of the chunks of long texts', async () => {
    const client = new EmbedmillClient({ url: lane.producer.url });
    const long = `<p>${'The courier &amp; his van were late. '.repeat(80)}</p>`;
    const options = { clean: ['html', 'white-space'], long: 'mean', prompt: 'query: ' } as const;
    const answer = await client.embed([long, 'Fits well.', ''], { ...options, chunkSpans: true });
    const [cut, whole, empty] = answer.outcomes;
    expect(whole).toEqual({
      verdict: 'ok',
      tokens: 7,
      lostTokens: 0,
      chunkSpans: [{ start: 0, end: 10, tokens: 3 }],
    });
    expect(empty).not.toHaveProperty('chunkSpans');

    const { chunks, chunkSpans = [], treated = '' } = cut!;
    expect(treated).toBe('The courier & his van were late. '.repeat(80).trim());
    expect([chunks, chunkSpans.length]).toEqual([3, 3]);
    const parts = chunkSpans.map(({ start, end }) => treated.slice(start, end));
    expect(parts.join('')).toBe(treated);
    const { vectors } = await client.embed(parts, { prompt: 'query: ' });
    const mean = Array.from(answer.vectors[0]!, (_, i) =>
      vectors.reduce((sum, vector, part) => sum + chunkSpans[part]!.tokens * vector![i]!, 0),
    );
    const length = Math.hypot(...mean);
    const cosine = mean.reduce((sum, value, i) => sum + (value / length) * answer.vectors[0]![i]!, 0);
    expect(cosine).toBeCloseTo(1, 5);

    const plain = await client.embed([long], options);
    expect(plain.outcomes[0]).not.toHaveProperty('chunkSpans');
    expect(plain.vectors[0]).toEqual(answer.vectors[0]);
  });

  it('returns one vector for one text, as numbers that parse to the same floats', async () => {
    const [text = ''] = PLAIN_TEXTS;
    const asFloats = await embed({ text });
    const asBase64 = await embed({ texts: [text], encoding: 'base64' });
    const bytes = Buffer.from(Float32Array.from(asFloats.vectors[0] as number[]).buffer);
    expect(bytes.toString('base64')).toBe(asBase64.vectors[0]);
    expect(asFloats.usage).toEqual({ tokens: asFloats.outcomes[0]?.tokens, lostTokens: 0 });
    expect(asFloats.timings.totalMs).toBeGreaterThanOrEqual(asFloats.timings.inferMs);
  });

  it('is what the client package calls', async () => {
    const client = new EmbedmillClient({ url: lane.producer.url });
    const texts = ['', ...PLAIN_TEXTS];
    const answer = await client.embed(texts, { timeoutMs: 20_000 });
    const expected = await embed({ texts });
    expect(answer.vectors[0]).toBeNull();
    expect(answer.vectors.slice(1).map((vector) => [...vector!])).toEqual(
      expected.vectors.slice(1).map((vector) => (vector as number[]).map(Math.fround)),
    );
    expect([answer.dim, answer.outcomes, answer.usage]).toEqual([384, expected.outcomes, expected.usage]);
    await expect(client.embed(['x'], { model: 'another' })).rejects.toMatchObject({ code: 'unknown-model' });
  });

  it('returns the same bytes to many callers at once as to each alone', async () => {
    const texts = [...PLAIN_TEXTS, ...AWKWARD_TEXTS].filter((text) => text.trim() !== '');
    const alone: unknown[] = [];
    for (const text of texts) alone.push((await embed({ text, encoding: 'base64' })).vectors[0]);
    const calls = Array.from({ length: 120 }, (_, call) =>
      Array.from({ length: 1 + (call % 3) }, (_, row) => (call * 7 + row) % texts.length),
    );
    const answers = await Promise.all(
      calls.map((rows) => embed({ texts: rows.map((row) => texts[row]!), encoding: 'base64' })),
    );
    expect(answers.map(({ vectors }) => vectors)).toEqual(calls.map((rows) => rows.map((row) => alone[row])));
  });

  it('returns no vector for a text without tokens', async () => {
    const { vectors, outcomes } = await embed({ texts: ['', 'something'] });
    expect(vectors[0]).toBeNull();
    expect(vectors[1]).toHaveLength(384);
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['empty', 'ok']);
  });
});

describe('token ids', () => {
  it('give the vector and the token count of their text', async () => {
    const texts = [...PLAIN_TEXTS, longText(400)];
    const tokens = await client().tokenize(texts, { specialTokens: false });
    const ids = tokens.map((own) => own.map(({ id }) => id));
    const [ofIds, ofTexts] = await Promise.all([
      embed({ texts: ids, encoding: 'base64' }),
      embed({ texts, encoding: 'base64' }),
    ]);
    expect(ofIds.vectors).toEqual(ofTexts.vectors);
    expect(ofIds.outcomes.slice(0, -1)).toEqual(ofTexts.outcomes.slice(0, -1));
    expect(ofIds.outcomes.at(-1)).toMatchObject({ verdict: 'truncated', tokens: 256 });
  });

  it('fail alone when one of them is not in the vocabulary', async () => {
    const { vectors, outcomes } = await embed({ texts: [[2023, 99_999], [2023]] });
    expect(outcomes[0]).toMatchObject({ verdict: 'failed', tokens: 0 });
    expect(outcomes[0]?.message).toContain('token id 99999 at position 1');
    expect(outcomes[1]?.verdict).toBe('ok');
    expect(vectors[0]).toBeNull();
  });
});

describe('tokenize', () => {
  it('returns ids and pieces of the whole text, with special tokens on request', async () => {
    const [framed = [], bare = []] = await Promise.all([
      client()
        .tokenize(['unboxing kettles'], { specialTokens: true })
        .then(([own]) => own),
      client()
        .tokenize(['unboxing kettles'], { specialTokens: false })
        .then(([own]) => own),
    ]);
    expect(framed.map(({ text }) => text)).toEqual([
      '[CLS]',
      'un',
      '##box',
      '##ing',
      'kettle',
      '##s',
      '[SEP]',
    ]);
    expect(framed.map(({ special }) => special)).toEqual([true, false, false, false, false, false, true]);
    expect(framed.slice(1, -1)).toEqual(bare);
    const [long = []] = await client().tokenize([longText(400)], { specialTokens: false });
    expect(long.length).toBeGreaterThanOrEqual(400);
  });
});

describe('the model', () => {
  it('is described as its workers announced it', async () => {
    const { fingerprint } = lane.worker;
    expect(await client().model()).toEqual({
      name: 'all-MiniLM-L6-v2',
      fingerprint,
      dim: 384,
      maxTokens: 256,
      prompts: { query: '', document: '' },
      scripts: ['Latin'],
      baseline: { mean: 0.094, spread: 0.0786, pairs: 28 },
    });
  });
});

/** Vectors of a run with these texts, in base64. */
async function embedInBulk(texts: readonly string[], options: Partial<Treatment> = {}): Promise<string[]> {
  const call = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${lane.producer.url}${path}`, { method, ...init });
  await until(async () => (await call('GET', '/readyz')).ok);
  const headers = { 'content-type': 'application/json' };
  const created = await call('POST', '/v1/runs', { headers, body: JSON.stringify(options) });
  const { id } = (await created.json()) as { id: string };
  await call('POST', `/v1/runs/${id}/rows?part=0`, {
    headers: { 'content-type': 'application/x-ndjson' },
    body: linesOf(texts.map((text, row) => ({ id: row, text }))),
  });
  await call('POST', `/v1/runs/${id}/seal`);
  const stateOf = async () =>
    ((await (await call('GET', `/v1/runs/${id}`)).json()) as { state: string }).state;
  await until(async () => (await stateOf()) === 'completed');
  const results = await (await call('GET', `/v1/runs/${id}/results?format=jsonl&encoding=base64`)).text();
  return results
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { vector: string }).vector);
}
