/** The Ollama API with its official client, and its errors as that client reads them. */

import { UnavailableError } from '@embedmill/contract';
import { Ollama } from 'ollama';
import { describe, expect, it } from 'vitest';
import { hashLane, SPECIAL_TOKENS } from '../support/hash-lane.ts';
import { HASH_DIM, hashVector, judgeHash } from '../support/hash-worker.ts';
import { type LaneApi, type LaneApiOptions, startLaneApi } from '../support/lane-api.ts';
import { PLAIN_TEXTS } from '../support/texts.ts';

const MODEL = 'all-minilm';

async function start(options: LaneApiOptions = {}): Promise<{ api: LaneApi; client: Ollama }> {
  const api = await startLaneApi(options);
  return { api, client: new Ollama({ host: api.url }) };
}

/** Sends a body as `curl -d` does, without the media type of JSON. */
async function post(api: LaneApi, path: string, body: unknown) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const sent = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await api.call('POST', path, { headers, body: sent });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const floats = (vectors: readonly (readonly number[])[]) =>
  vectors.map((vector) => Float32Array.from(vector));

describe('the official client', () => {
  it('gets the vectors of one or several texts, in order', async () => {
    const { client } = await start();
    const one = await client.embed({ model: MODEL, input: PLAIN_TEXTS[0] });
    expect(floats(one.embeddings)).toEqual([hashVector(PLAIN_TEXTS[0])]);
    const many = await client.embed({ model: MODEL, input: [...PLAIN_TEXTS] });
    expect(floats(many.embeddings)).toEqual(PLAIN_TEXTS.map(hashVector));
    const tokens = PLAIN_TEXTS.reduce((sum, text) => sum + judgeHash(text).tokens, 0);
    expect(many).toMatchObject({
      model: MODEL,
      total_duration: 3_000_000,
      load_duration: 0,
      prompt_eval_count: tokens,
    });
  });

  it('gets the vector of a prompt with the older call', async () => {
    const { client } = await start();
    const { embedding } = await client.embeddings({ model: MODEL, prompt: PLAIN_TEXTS[0] });
    expect(floats([embedding])).toEqual([hashVector(PLAIN_TEXTS[0])]);
  });

  it('gets the leading dimensions, and all of them for a number at or above the dimension', async () => {
    const { client } = await start();
    const ask = async (dimensions: number) =>
      (await client.embed({ model: MODEL, input: 'a kettle', dimensions })).embeddings[0]!;
    expect(await ask(4)).toHaveLength(4);
    expect(Math.hypot(...(await ask(4)))).toBeCloseTo(1, 6);
    expect(Float32Array.from(await ask(HASH_DIM * 2))).toEqual(hashVector('a kettle'));
  });

  it.each([MODEL, `${MODEL}:latest`, 'all-MiniLM-L6-v2', 'sentence-transformers/all-MiniLM-L6-v2'])(
    'can use the model name %s',
    async (model) => {
      const { client } = await start();
      expect((await client.embed({ model, input: 'a kettle' })).model).toBe(model);
      expect((await client.show({ model })).capabilities).toEqual(['embedding']);
    },
  );

  it('finds the model in every list, with its dimension', async () => {
    const { client } = await start();
    const { models } = await client.list();
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({
      name: 'all-minilm:latest',
      model: 'all-minilm:latest',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details: { family: 'bert', families: ['bert'], embedding_length: HASH_DIM },
    });
    expect(Number.isNaN(Date.parse(String(models[0]!.modified_at)))).toBe(false);
    const loaded = (await client.ps()).models;
    expect(loaded.map(({ name, digest }) => [name, digest])).toEqual([
      ['all-minilm:latest', models[0]!.digest],
    ]);
    const { model_info } = await client.show({ model: MODEL });
    expect(model_info).toMatchObject({ 'bert.embedding_length': HASH_DIM, 'bert.context_length': 256 });
  });

  it('finds an alias in every list, with the digest of the model', async () => {
    const api = await startLaneApi({ config: { modelAliases: ['text-embedding-3-small'] } });
    const client = new Ollama({ host: api.url });
    for (const { models } of [await client.list(), await client.ps()]) {
      expect(models.map(({ name }) => name)).toEqual(['all-minilm:latest', 'text-embedding-3-small:latest']);
      expect(new Set(models.map(({ digest }) => digest)).size).toBe(1);
    }
    expect((await client.embed({ model: 'text-embedding-3-small', input: 'a' })).embeddings).toHaveLength(1);
  });

  it('pulls the served model at once, with and without a stream', async () => {
    const { api, client } = await start();
    expect(await client.pull({ model: MODEL })).toEqual({ status: 'success' });
    const statuses: string[] = [];
    for await (const { status } of await client.pull({ model: `${MODEL}:latest`, stream: true }))
      statuses.push(status);
    expect(statuses).toEqual(['pulling manifest', 'success']);
    const response = await api.call('POST', '/api/pull', { body: JSON.stringify({ name: MODEL }) });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  });

  it('cannot pull another model', async () => {
    const { client } = await start();
    for (const stream of [true, false]) {
      const pulled = client.pull({ model: 'nomic-embed-text', stream: stream as true });
      await expect(pulled).rejects.toMatchObject({
        status_code: 404,
        error: expect.stringContaining('no model "nomic-embed-text"; it serves all-minilm:latest'),
      });
    }
  });

  it('gets a version', async () => {
    const { client } = await start();
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('a fleet without workers', () => {
  const lane = hashLane({
    before: () => {
      throw new UnavailableError('no-workers', 'no worker is there');
    },
  });

  it('lists its model, with none loaded', async () => {
    const { client } = await start({ lane });
    expect((await client.list()).models).toHaveLength(1);
    expect((await client.ps()).models).toEqual([]);
  });

  it('reports the missing workers on every other call', async () => {
    const { client } = await start({ lane });
    await expect(client.show({ model: MODEL })).rejects.toMatchObject({ status_code: 503 });
    await expect(client.embed({ model: MODEL, input: 'a' })).rejects.toMatchObject({
      status_code: 503,
      error: 'no worker is there',
    });
  });
});

describe('nothing to embed', () => {
  it.each([[''], [null], [[]]])('as input %j returns no vectors', async (input) => {
    const { api } = await start();
    const { status, body } = await post(api, '/api/embed', { model: MODEL, input });
    expect([status, body]).toEqual([200, { model: MODEL, embeddings: [] }]);
  });

  it('among other texts has the vector of the special tokens', async () => {
    const { client } = await start();
    const { embeddings } = await client.embed({ model: MODEL, input: ['a kettle', '', ' '] });
    const vectors = ['a kettle', SPECIAL_TOKENS, SPECIAL_TOKENS].map(hashVector);
    expect(embeddings.map((vector) => Float32Array.from(vector))).toEqual(vectors);
  });

  it('as prompt returns an empty vector', async () => {
    const { api } = await start();
    const { status, body } = await post(api, '/api/embeddings', { model: MODEL, prompt: '' });
    expect([status, body]).toEqual([200, { embedding: [] }]);
  });
});

const outcomes = {
  long: { verdict: 'truncated', tokens: 256, lostTokens: 10 },
  bad: { verdict: 'failed', tokens: 0, lostTokens: 1, message: 'no finite vector' },
} as const;

/** [path, body, status, error] */
const refused: [path: string, body: unknown, status: number, error: unknown][] = [
  ['/api/embed', '', 400, 'missing request body'],
  ['/api/embed', '{"model', 400, expect.stringContaining('not JSON')],
  ['/api/embed', {}, 400, 'model is required'],
  ['/api/embed', { input: 'a' }, 400, 'model is required'],
  ['/api/embed', { model: MODEL, input: 7 }, 400, 'invalid input type'],
  ['/api/embed', { model: MODEL, input: ['a', 7] }, 400, 'invalid input type'],
  [
    '/api/embed',
    { model: MODEL, input: 'long', truncate: false },
    400,
    'the input length exceeds the context length',
  ],
  ['/api/embed', { model: MODEL, input: ['good', 'bad'] }, 500, expect.stringContaining('no finite vector')],
  ['/api/embed', { model: 'llama3', input: 'a' }, 404, 'model "llama3" not found, try pulling it first'],
  ['/api/embeddings', { prompt: 'a' }, 400, 'model is required'],
  ['/api/embeddings', { model: MODEL, prompt: 'bad' }, 500, expect.stringContaining('no finite vector')],
  ['/api/show', { model: 'llama3' }, 404, 'model "llama3" not found, try pulling it first'],
  ['/api/show', {}, 400, 'model is required'],
];

describe('an error', () => {
  it.each(refused)('of %s for %j is a message', async (path, sent, status, error) => {
    const { api } = await start({ lane: hashLane({ outcomes }) });
    const answer = await post(api, path, sent);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error });
  });

  it('of an overload is 503 with the wording of Ollama', async () => {
    const lane = hashLane({
      before: () => {
        throw new UnavailableError('overloaded', 'too much', { facts: { retryAfterSeconds: 3 } });
      },
    });
    const { api, client } = await start({ lane });
    const { headers } = await post(api, '/api/embed', { model: MODEL, input: 'a' });
    expect(headers.get('retry-after')).toBe('3');
    await expect(client.embed({ model: MODEL, input: 'a' })).rejects.toMatchObject({
      status_code: 503,
      error: 'server busy, please try again.  maximum pending requests exceeded',
    });
  });

  it('inside the producer is 500', async () => {
    const lane = hashLane({
      before: () => {
        throw new Error('a mistake');
      },
    });
    const { client } = await start({ lane });
    await expect(client.embed({ model: MODEL, input: 'a' })).rejects.toMatchObject({ status_code: 500 });
  });

  it.each(['/api/embed', '/api/tags', '/api/version'])('of a wrong method at %s is 405', async (path) => {
    const { api } = await start();
    const response = await api.call('DELETE', path);
    expect(response.status).toBe(405);
    expect(await response.json()).toEqual({ error: expect.stringContaining('got DELETE') });
  });

  it('of an unknown path is 404', async () => {
    const { api } = await start();
    const { status, body } = await post(api, '/api/generate', { model: MODEL });
    expect([status, body]).toEqual([404, { error: expect.stringContaining('/api/generate') }]);
  });
});

describe('the root', () => {
  it('tells clients that Ollama is running, for HEAD too', async () => {
    const { api } = await start();
    const response = (await api.call('GET', '/')) as unknown as Response;
    expect(await response.text()).toBe('Ollama is running');
    expect((await api.call('HEAD', '/')).status).toBe(200);
  });

  it('serves the dashboard to browsers', async () => {
    const { api } = await start();
    const response = await api.call('GET', '/', { headers: { accept: 'text/html,*/*' } });
    expect(await (response as unknown as Response).text()).not.toContain('Ollama');
  });

  it.each(['/api/tags', '/api/version', '/api/ps'])('and %s answer HEAD', async (path) => {
    const { api } = await start();
    expect((await api.call('HEAD', path)).status).toBe(200);
  });
});
