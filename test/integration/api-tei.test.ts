/** The API of Text Embeddings Inference: its shapes, its timing headers and its errors. */

import { type TextInput, UnavailableError } from '@embedmill/contract';
import { describe, expect, it } from 'vitest';
import { hashLane, SPECIAL_TOKENS } from '../support/hash-lane.ts';
import { HASH_DIM, hashVector } from '../support/hash-worker.ts';
import { type LaneApi, startLaneApi } from '../support/lane-api.ts';
import { PLAIN_TEXTS } from '../support/texts.ts';

async function post(api: LaneApi, path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const response = (await api.call('POST', path, { headers, body: sent })) as unknown as Response;
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

const floats = (vectors: readonly number[][]) => vectors.map((vector) => Float32Array.from(vector));

describe('/embed', () => {
  it.each(['/embed', '/', '/invocations'])(
    'as %s returns a list of vectors, even for one text',
    async (path) => {
      const api = await startLaneApi();
      const one = await post(api, path, { inputs: PLAIN_TEXTS[0] });
      expect(floats(one.body)).toEqual([hashVector(PLAIN_TEXTS[0])]);
      const many = await post(api, path, { inputs: PLAIN_TEXTS });
      expect(floats(many.body)).toEqual(PLAIN_TEXTS.map(hashVector));
    },
  );

  it('embeds a blank as the special tokens alone', async () => {
    const { body } = await post(await startLaneApi(), '/embed', { inputs: ['a kettle', ' '] });
    expect(floats(body)).toEqual(['a kettle', SPECIAL_TOKENS].map(hashVector));
  });

  it('accepts token ids', async () => {
    const api = await startLaneApi();
    expect(floats((await post(api, '/embed', { inputs: [7, 8] })).body)).toEqual([hashVector('7 8')]);
    expect(floats((await post(api, '/embed', { inputs: [[7], [8]] })).body)).toEqual(
      ['7', '8'].map(hashVector),
    );
  });

  it('reports timings in headers', async () => {
    const api = await startLaneApi();
    const { headers } = await post(api, '/embed', { inputs: ['a kettle', '👍'] });
    const told = ['type', 'characters', 'tokens', 'time'].map((name) => headers.get(`x-compute-${name}`));
    expect(told).toEqual(['cpu', '9', '7', '2']);
    const times = ['total', 'queue', 'inference'].map((name) => headers.get(`x-${name}-time`));
    expect(times).toEqual(['3', '1', '2']);
  });

  it('keeps the leading dimensions', async () => {
    const api = await startLaneApi();
    const { body } = await post(api, '/embed', { inputs: 'a kettle', dimensions: 4 });
    expect(body[0]).toHaveLength(4);
    expect(Math.hypot(...body[0])).toBeCloseTo(1, 6);
  });
});

describe('the other calls', () => {
  it('/similarity returns the cosine of a text with others', async () => {
    const api = await startLaneApi();
    const inputs = { source_sentence: 'a kettle', sentences: ['a kettle', 'boots'] };
    const { status, body } = await post(api, '/similarity', { inputs });
    expect(status).toBe(200);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const source = hashVector('a kettle');
    expect(body[0]).toBeCloseTo(dot(source, source), 5);
    expect(body[1]).toBeCloseTo(dot(source, hashVector('boots')), 5);
  });

  it('/tokenize reads long texts and many texts in slices', async () => {
    const calls: string[][] = [];
    const before = (texts: readonly TextInput[]) => {
      calls.push(texts as string[]);
    };
    const { api } = { api: await startLaneApi({ lane: hashLane({ before }) }) };
    const long = Array.from({ length: 9000 }, (_, i) => `word${i}x`).join(' ');
    const { body } = await post(api, '/tokenize', { inputs: [long, 'a kettle', '', long] });
    const chars = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0);
    expect(Math.max(...calls.map(chars))).toBeLessThanOrEqual(16_384);
    expect(calls.flat().join('')).toBe(`${long}a kettle${long}`);
    const own = body.map((tokens: { text: string }[]) =>
      tokens.map(({ text }) => text).filter((text) => text !== ''),
    );
    const framed = (text: string) => ['[CLS]', ...text.split(' ').filter((word) => word !== ''), '[SEP]'];
    expect(own).toEqual([long, 'a kettle', '', long].map(framed));
    const tooLong = await post(api, '/tokenize', { inputs: 'x'.repeat(1_000_001) });
    expect([tooLong.status, tooLong.body.error_type]).toEqual([422, 'Validation']);
  });

  it('/tokenize returns the tokens of each text', async () => {
    const api = await startLaneApi();
    const { body } = await post(api, '/tokenize', { inputs: ['a kettle', 'boots'] });
    expect(body.map((tokens: { text: string }[]) => tokens.map(({ text }) => text))).toEqual([
      ['[CLS]', 'a', 'kettle', '[SEP]'],
      ['[CLS]', 'boots', '[SEP]'],
    ]);
    expect(body[0][0]).toEqual({ id: 101, text: '[CLS]', special: true, start: null, stop: null });
    const bare = await post(api, '/tokenize', { inputs: 'boots', add_special_tokens: false });
    expect(bare.body[0]).toHaveLength(1);
  });

  it('/info describes the model', async () => {
    const api = await startLaneApi();
    expect(await (await api.call('GET', '/info')).json()).toMatchObject({
      model_id: 'sentence-transformers/all-MiniLM-L6-v2',
      model_type: { embedding: { pooling: 'mean' } },
      max_input_length: 256,
      max_client_batch_size: 2048,
      auto_truncate: true,
    });
  });

  it('/health is empty while workers are connected', async () => {
    const api = await startLaneApi();
    const response = (await api.call('GET', '/health')) as unknown as Response;
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('/health is 503 if the producer is not ready or no worker is connected', async () => {
    const notReady = await startLaneApi({ isReady: false });
    const lane = hashLane({
      before: () => {
        throw new UnavailableError('no-workers', 'no worker is there');
      },
    });
    for (const api of [notReady, await startLaneApi({ lane })]) {
      const response = await api.call('GET', '/health');
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ error_type: 'Unhealthy' });
    }
  });
});

const outcomes = {
  long: { verdict: 'truncated', tokens: 256, lostTokens: 10 },
  bad: { verdict: 'failed', tokens: 0, lostTokens: 1, message: 'no finite vector' },
} as const;

/** [body, status, error, type] */
const refused: [body: unknown, status: number, error: string, type: string][] = [
  [{ inputs: [] }, 400, '`inputs` cannot be empty', 'Empty'],
  [{ inputs: '' }, 400, 'Input validation error: `inputs` cannot be empty', 'Empty'],
  [{ inputs: ['a', ''] }, 400, 'Input validation error: `inputs` at index 1 cannot be empty', 'Empty'],
  [
    { inputs: 'long', truncate: false },
    422,
    'Input validation error: `inputs` must have less than 256 tokens. Given: 266',
    'Validation',
  ],
  [{ inputs: Array(2049).fill('a') }, 422, 'batch size 2049 > maximum allowed batch size 2048', 'Validation'],
  [
    { inputs: 'a', dimensions: 0 },
    422,
    'Input validation error: `dimensions` should be positive',
    'Validation',
  ],
  [
    { inputs: 'a', dimensions: HASH_DIM + 1 },
    422,
    'Input validation error: `dimensions` should be smaller than the maximum embedding dimension.',
    'Validation',
  ],
  [
    { inputs: 'a', normalize: false },
    422,
    'Input validation error: `normalize` must be true: this server returns vectors of length 1 only',
    'Validation',
  ],
  [
    { inputs: 'a', prompt_name: 'title' },
    422,
    'Input validation error: the prompt "title" is unknown; expected query, document or passage',
    'Validation',
  ],
  [{ inputs: ['good', 'bad'] }, 424, 'Inference error: no finite vector', 'Backend'],
];

describe('an error', () => {
  it.each(refused)(
    'for %j has the wording and the type of that server',
    async (sent, status, error, type) => {
      const api = await startLaneApi({ lane: hashLane({ outcomes }) });
      const answer = await post(api, '/embed', sent);
      expect(answer.status).toBe(status);
      expect(answer.body).toEqual({ error, error_type: type });
    },
  );

  it.each([
    ['{"inputs"', 400, /^Failed to parse the request body as JSON: /],
    [{ inputs: 7 }, 422, /^Failed to deserialize the JSON body into the target type: inputs/],
    [{}, 422, /^Failed to deserialize the JSON body into the target type: inputs/],
    [{ inputs: 'a', truncation_direction: 'up' }, 422, /^Failed to deserialize .* truncation_direction/],
    [{ inputs: 'long '.repeat(400) }, 413, /^Failed to buffer the request body: length limit exceeded$/],
  ])('for the body %j is plain text', async (sent, status, text) => {
    const api = await startLaneApi({ limits: { maxTextsBytes: 1000 } });
    const answer = await post(api, '/embed', sent);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.body).toMatch(text);
  });

  it('for invalid UTF-8 is the one for invalid JSON', async () => {
    const api = await startLaneApi();
    const response = await api.call('POST', '/embed', {
      body: Buffer.from('{"inputs":"caf\xe9"}', 'latin1'),
    });
    expect(response.status).toBe(400);
  });

  it('for an overload is 429', async () => {
    const lane = hashLane({
      before: () => {
        throw new UnavailableError('overloaded', 'too much', { facts: { retryAfterSeconds: 3 } });
      },
    });
    const { status, headers, body } = await post(await startLaneApi({ lane }), '/embed', { inputs: 'a' });
    expect([status, headers.get('retry-after')]).toEqual([429, '3']);
    expect(body).toEqual({ error: 'Model is overloaded', error_type: 'Overloaded' });
  });
});
