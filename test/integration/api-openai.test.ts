/** /v1/embeddings and /v1/models with the official OpenAI clients, and their errors as those clients read them. */

import { UnavailableError } from '@embedmill/contract';
import { OpenAIEmbeddings } from '@langchain/openai';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { hashLane, SPECIAL_TOKENS } from '../support/hash-lane.ts';
import { HASH_DIM, hashVector } from '../support/hash-worker.ts';
import { type LaneApi, type LaneApiOptions, startLaneApi } from '../support/lane-api.ts';
import { EMPTY_TEXTS, PLAIN_TEXTS } from '../support/texts.ts';

const MODEL = 'all-MiniLM-L6-v2';

async function start(options: LaneApiOptions = {}): Promise<{ api: LaneApi; client: OpenAI }> {
  const api = await startLaneApi(options);
  return { api, client: new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

/** Sends a raw body. */
const post = (api: LaneApi, body: unknown) =>
  api.call('POST', '/v1/embeddings', {
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('the official client', () => {
  it('gets the vector of one text, in base64 by default', async () => {
    const { client } = await start();
    const answer = await client.embeddings.create({ model: MODEL, input: PLAIN_TEXTS[0] });
    expect(answer).toMatchObject({ object: 'list', model: MODEL });
    expect(answer.data).toHaveLength(1);
    expect(Float32Array.from(answer.data[0]!.embedding)).toEqual(hashVector(PLAIN_TEXTS[0]));
    expect(answer.usage).toEqual({ prompt_tokens: 13, total_tokens: 13 });
  });

  it('gets the same floats as decimals', async () => {
    const { client } = await start();
    const input = [...PLAIN_TEXTS];
    const answer = await client.embeddings.create({ model: MODEL, input, encoding_format: 'float' });
    expect(answer.data.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(answer.data.map(({ embedding }) => Float32Array.from(embedding))).toEqual(input.map(hashVector));
  });

  it('can send null for an optional field, as if it were absent', async () => {
    const { client } = await start();
    const nulls = { encoding_format: null, dimensions: null, user: null } as unknown as { user: string };
    const answer = await client.embeddings.create({ model: MODEL, input: [PLAIN_TEXTS[0]], ...nulls });
    expect(answer.data[0]!.embedding.map(Math.fround)).toEqual([...hashVector(PLAIN_TEXTS[0])]);
    await expect(
      client.embeddings.create({ model: MODEL, input: null as unknown as string }),
    ).rejects.toMatchObject({ status: 400 });
  });

  it.each([[[2023, 2003]], [[[2028, 374, 264, 1296, 2246, 13]]]])(
    'cannot send token ids of an unknown tokenizer: %j',
    async (ids) => {
      const { client } = await start();
      const input = ids as unknown as string[];
      const send = (more: object) => client.embeddings.create({ model: MODEL, input, ...more });
      await expect(send({})).rejects.toMatchObject({
        status: 400,
        message: expect.stringContaining('check_embedding_ctx_length=False'),
      });
      await expect(send({ tokenizer: 'cl100k_base' })).rejects.toMatchObject({
        status: 400,
        param: 'tokenizer',
        message: expect.stringContaining('expected all-MiniLM-L6-v2'),
      });
    },
  );

  it('can send token ids of the tokenizer of the model, if it says so', async () => {
    const { client } = await start();
    const ids = [
      [2023, 2003],
      [7, 8, 9],
    ];
    const given = { model: MODEL, input: ids, tokenizer: 'sentence-transformers/all-MiniLM-L6-v2' };
    const { data } = await client.embeddings.create(given);
    const vectors = ids.map((each) => hashVector(each.join(' ')));
    expect(data.map(({ embedding }) => Float32Array.from(embedding))).toEqual(vectors);
  });

  it('cannot mix texts and token ids', async () => {
    const { client } = await start();
    const input = ['a', 7] as unknown as string[];
    await expect(client.embeddings.create({ model: MODEL, input })).rejects.toMatchObject({ status: 400 });
  });

  it('works with a base URL without /v1', async () => {
    const { api } = await start();
    const client = new OpenAI({ baseURL: api.url, apiKey: 'none', maxRetries: 0 });
    const { data } = await client.embeddings.create({ model: MODEL, input: PLAIN_TEXTS[0] });
    expect(Float32Array.from(data[0]!.embedding)).toEqual(hashVector(PLAIN_TEXTS[0]));
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['all-MiniLM-L6-v2']);
    expect((await client.models.retrieve('all-minilm')).id).toBe('all-minilm');
    await expect(client.models.retrieve('gpt-4')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it.each(['all-minilm:l6-v2', 'ALL-MINILM:22M', 'Xenova/all-MiniLM-L6-v2', 'all-minilm:latest'])(
    'can use the usual name %s',
    async (model) => {
      const { client } = await start();
      expect((await client.embeddings.create({ model, input: 'a' })).model).toBe(model);
    },
  );

  it('can use names of EMBEDMILL_MODEL_ALIASES, which are listed, and no other names', async () => {
    const { client } = await start({ config: { modelAliases: ['text-embedding-3-small'] } });
    const create = (model: string) => client.embeddings.create({ model, input: 'a' });
    expect((await create('text-embedding-3-small')).model).toBe('text-embedding-3-small');
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['all-MiniLM-L6-v2', 'text-embedding-3-small']);
    for (const model of ['text-embedding-3-large', 'all-minilm:33m', 'all-minilm:l12-v2'])
      await expect(create(model)).rejects.toMatchObject({ status: 404 });
  });

  it('gets the leading dimensions, renormalized to length 1', async () => {
    const { client } = await start();
    const { data } = await client.embeddings.create({ model: MODEL, input: 'a kettle', dimensions: 3 });
    const kept = hashVector('a kettle').subarray(0, 3);
    const length = Math.hypot(...kept);
    expect(data[0]!.embedding).toHaveLength(3);
    for (const [i, value] of kept.entries()) expect(data[0]!.embedding[i]).toBeCloseTo(value / length, 6);
  });

  it('gets the number of embedded tokens, without truncated ones', async () => {
    const outcomes = { long: { verdict: 'truncated', tokens: 256, lostTokens: 744 } } as const;
    const { client } = await start({ lane: hashLane({ outcomes }) });
    const { usage } = await client.embeddings.create({ model: MODEL, input: ['long', 'short'] });
    expect(usage.total_tokens).toBe(256 + 3);
  });

  it.each([MODEL, `sentence-transformers/${MODEL}`, 'all-minilm', 'all-minilm:latest', 'ALL-MINILM-L6-V2'])(
    'can use the model name %s and gets it back',
    async (model) => {
      const { client } = await start();
      expect((await client.embeddings.create({ model, input: 'a kettle' })).model).toBe(model);
      expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: 'model' });
    },
  );

  it('lists the model', async () => {
    const { client } = await start();
    const found = [];
    for await (const model of client.models.list()) found.push(model);
    expect(found).toEqual([
      { id: MODEL, object: 'model', created: expect.any(Number), owned_by: 'embedmill' },
    ]);
    expect(Math.abs(found[0]!.created - Date.now() / 1000)).toBeLessThan(3600);
  });

  it('gets the request id and the processing time', async () => {
    const { client } = await start();
    const { data, response, request_id } = await client.embeddings
      .create({ model: MODEL, input: 'a kettle' })
      .withResponse();
    expect(data.data).toHaveLength(1);
    expect(request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('openai-processing-ms')).toMatch(/^\d+$/);
  });

  it('waits as requested and retries when the workers are overloaded', async () => {
    const calls: number[] = [];
    const lane = hashLane({
      before: () => {
        calls.push(Date.now());
        if (calls.length < 3)
          throw new UnavailableError('overloaded', 'too much', { facts: { retryAfterSeconds: 1 } });
      },
    });
    const { api } = await start({ lane });
    const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 2 });
    await client.embeddings.create({ model: MODEL, input: 'a kettle' });
    expect(calls).toHaveLength(3);
    // Without `retry-after-ms`, the client would retry within 0.5 s.
    expect(calls[1]! - calls[0]!).toBeGreaterThanOrEqual(990);
  });

  it('does not retry requests that would fail again', async () => {
    let calls = 0;
    const lane = hashLane({
      before: () => {
        calls += 1;
        throw new Error('a mistake');
      },
    });
    const { api } = await start({ lane });
    const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 2 });
    await expect(client.embeddings.create({ model: MODEL, input: 'a kettle' })).rejects.toMatchObject({
      status: 500,
      type: 'server_error',
    });
    expect(calls).toBe(1);
  });

  it('withdraws its texts when it disconnects', async () => {
    let told: AbortSignal | undefined;
    const lane = hashLane({
      before: async (_texts, signal) => {
        told = signal;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      },
    });
    const { client } = await start({ lane });
    const call = client.embeddings.create({ model: MODEL, input: 'a kettle' }, { timeout: 200 });
    await expect(call).rejects.toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    await expect.poll(() => told?.aborted).toBe(true);
  });
});

it('embeds a blank as the special tokens alone', async () => {
  const { client } = await start();
  const blanks = EMPTY_TEXTS.filter((text) => text !== '');
  const { data, usage } = await client.embeddings.create({ model: MODEL, input: ['a kettle', ...blanks] });
  const vectors = ['a kettle', ...blanks.map(() => SPECIAL_TOKENS)].map(hashVector);
  expect(data.map(({ embedding }) => Float32Array.from(embedding))).toEqual(vectors);
  expect(usage.total_tokens).toBeGreaterThan(0);
});

describe('LangChain', () => {
  it('embeds documents and a query', async () => {
    const { api } = await start();
    const embeddings = new OpenAIEmbeddings({
      model: MODEL,
      apiKey: 'none',
      configuration: { baseURL: `${api.url}/v1` },
      batchSize: 2,
    });
    const documents = await embeddings.embedDocuments([...PLAIN_TEXTS]);
    expect(documents.map((vector) => Float32Array.from(vector))).toEqual(PLAIN_TEXTS.map(hashVector));
    const question = await embeddings.embedQuery('Which kettle is quick?');
    expect(Float32Array.from(question)).toEqual(hashVector('Which kettle is quick?'));
  });
});

const INVALID =
  "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.";

/** [body, status, error] */
const refused: [name: string, body: unknown, status: number, error: Record<string, unknown>][] = [
  ['an empty list', { model: MODEL, input: [] }, 400, { message: INVALID, param: null, code: null }],
  [
    'an empty text',
    { model: MODEL, input: '' },
    400,
    { message: INVALID, type: 'invalid_request_error', param: null, code: null },
  ],
  [
    'an empty text in a list',
    { model: MODEL, input: ['a kettle', ''] },
    400,
    { message: expect.stringContaining('the input at index 1 is empty') },
  ],
  ['an object for a text', { model: MODEL, input: { text: 'a' } }, 400, { message: INVALID }],
  ['no input', { model: MODEL }, 400, { message: INVALID }],
  ['no model', { input: 'a' }, 400, { message: 'you must provide a model parameter' }],
  [
    '2049 texts',
    { model: MODEL, input: Array(2049).fill('a') },
    400,
    { message: expect.stringMatching(/^'\$\.input' is invalid: array length must be 2048 or less/) },
  ],
  [
    'more than 300,000 tokens',
    { model: MODEL, input: Array(2000).fill('many words '.repeat(100)) },
    400,
    {
      message: 'Requested 512000 tokens, max 300000 tokens per request',
      type: 'max_tokens_per_request',
      code: 'max_tokens_per_request',
    },
  ],
  [
    'an unknown encoding',
    { model: MODEL, input: 'a', encoding_format: 'md5' },
    400,
    { message: "Invalid value for 'encoding_format' = md5. Supported values: ['float', 'base64']." },
  ],
  ['no dimensions', { model: MODEL, input: 'a', dimensions: 0 }, 400, { param: 'dimensions' }],
  [
    'more dimensions than the model has',
    { model: MODEL, input: 'a', dimensions: HASH_DIM + 1 },
    400,
    { param: 'dimensions', message: expect.stringContaining('This model has 16 dimensions') },
  ],
  [
    'another model',
    { model: 'text-embedding-3-small', input: 'a' },
    404,
    { param: 'model', code: 'model_not_found', type: 'invalid_request_error' },
  ],
  ['no JSON', '{"model"', 400, { message: expect.stringContaining('could not parse the JSON body') }],
  ['a list', '[]', 400, { message: 'the body is []; expected an object' }],
];

describe('an error', () => {
  it.each(refused)('for %s has the wording of the OpenAI API', async (_name, body, status, error) => {
    const { api } = await start();
    const response = await post(api, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    const told = await response.json();
    expect(Object.keys(told.error).sort()).toEqual(['code', 'message', 'param', 'type']);
    expect(told.error).toMatchObject(error);
  });

  it('for invalid UTF-8 is the one for invalid JSON', async () => {
    const { api } = await start();
    const bytes = Buffer.from(`{"model":"${MODEL}","input":"caf\xe9"}`, 'latin1');
    const response = await api.call('POST', '/v1/embeddings', { body: bytes });
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toContain('could not parse the JSON body');
  });

  it('for an over-long text is sent only if the caller requests it', async () => {
    const outcomes = { long: { verdict: 'truncated', tokens: 256, lostTokens: 45 } } as const;
    const { api } = await start({ lane: hashLane({ outcomes }) });
    expect((await post(api, { model: MODEL, input: 'long' })).status).toBe(200);
    const response = await post(api, { model: MODEL, input: 'long', truncate: 'error' });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        message:
          "This model's maximum context length is 256 tokens, however you requested 301 tokens (301 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
    });
  });

  it('for a text that the model fails on is a server error without retry', async () => {
    const outcomes = {
      bad: { verdict: 'failed', tokens: 0, lostTokens: 2, message: 'no finite vector' },
    } as const;
    const { api } = await start({ lane: hashLane({ outcomes }) });
    const response = await post(api, { model: MODEL, input: ['good', 'bad'] });
    expect(response.status).toBe(500);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect((await response.json()).error.message).toContain('no finite vector');
  });

  it('for a body over the limit is 413', async () => {
    const { api } = await start({ limits: { maxTextsBytes: 1000 } });
    const response = await post(api, { model: MODEL, input: 'long '.repeat(400) });
    expect(response.status).toBe(413);
    expect((await response.json()).error.type).toBe('invalid_request_error');
  });

  it.each([
    ['overloaded', 429, 'rate_limit_error', 'rate_limit_exceeded'],
    ['no-workers', 503, 'server_error', null],
    ['deadline-exceeded', 504, 'server_error', null],
    ['redis-unavailable', 503, 'server_error', null],
  ])('for %s states when to retry', async (code, status, type, shown) => {
    const lane = hashLane({
      before: () => {
        throw new UnavailableError(code, 'not now', { facts: { retryAfterSeconds: 7 } });
      },
    });
    const { api, client } = await start({ lane });
    const response = await post(api, { model: MODEL, input: 'a' });
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(response.headers.get('retry-after-ms')).toBe('7000');
    const call = client.embeddings.create({ model: MODEL, input: 'a' });
    await expect(call).rejects.toMatchObject({ status, type, code: shown, requestID: expect.any(String) });
  });

  it('of each kind is the matching error class of the client', async () => {
    const { client } = await start();
    const ask = (model: string, input: string) => client.embeddings.create({ model, input });
    await expect(ask(MODEL, '')).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(ask('gpt', 'a')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.models.retrieve('gpt')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('for a wrong method lists the allowed ones', async () => {
    const { api } = await start();
    const response = await api.call('GET', '/v1/embeddings');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('OPTIONS, POST');
    expect((await response.json()).error.message).toContain('accepts OPTIONS, POST');
  });

  it('for an invalid deadline states what is expected', async () => {
    const { api } = await start();
    const response = await api.call('POST', '/v1/embeddings', {
      headers: { 'request-timeout-ms': 'soon' },
      body: JSON.stringify({ model: MODEL, input: 'a' }),
    });
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toContain('request-timeout-ms');
  });
});
