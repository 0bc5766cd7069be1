/** OpenAI batches with the official client: responses, errors, cancellation, expiry, and our additional fields. */

import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestApiOptions, until } from '../support/api.ts';
import { hashVector, startHashWorker } from '../support/hash-worker.ts';
import {
  openAiClient,
  parseAnswers,
  readAnswers,
  requestLine,
  submitBatch,
  whenBatch,
} from '../support/openai-batch.ts';

async function start(options: TestApiOptions = {}): Promise<{ api: TestApi; client: OpenAI }> {
  const api = await startApi({ ...options, config: { batchRows: 10, ...options.config } });
  return { api, client: openAiClient(api.url) };
}

/** A gate that blocks a worker after `free` batches until it is opened. */
function gate(free: number) {
  let passed = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const before = async () => {
    passed += 1;
    if (passed > free) await opened;
  };
  return { before, open };
}

describe('a batch', () => {
  it('answers every request with the vectors of its texts', async () => {
    const { api, client } = await start();
    await startHashWorker(api.redis);
    const lines = [
      requestLine('one', 'a kettle'),
      requestLine(
        'many',
        Array.from({ length: 25 }, (_, i) => `text ${i}`),
      ),
      '',
      requestLine('packed', 'boots', { encoding_format: 'base64' }),
      requestLine('short', 'a lamp', { dimensions: 4 }),
    ];
    const created = await submitBatch(client, lines, { metadata: { job: 'nightly' } });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^batch_[0-9a-z]{19}$/),
      object: 'batch',
      endpoint: '/v1/embeddings',
      errors: null,
      completion_window: '24h',
      output_file_id: null,
      error_file_id: null,
      completed_at: null,
      metadata: { job: 'nightly' },
    });
    expect(created.expires_at! - created.created_at).toBe(24 * 3600);
    const done = await whenBatch(client, created.id);
    expect(done).toMatchObject({
      status: 'completed',
      model: 'all-MiniLM-L6-v2',
      request_counts: { total: 4, completed: 4, failed: 0 },
      error_file_id: null,
      rows: { total: 28, done: 28 },
    });
    for (const time of ['in_progress_at', 'finalizing_at', 'completed_at'] as const)
      expect(done[time]).toBeGreaterThanOrEqual(created.created_at);
    const answers = await readAnswers(client, done.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(['one', 'many', 'packed', 'short']);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(4);
    const [one, many, packed, short] = answers.map(({ response }) => response!.body);
    expect(one).toMatchObject({ object: 'list', model: 'all-MiniLM-L6-v2', usage: { total_tokens: 4 } });
    expect(Float32Array.from(one.data[0].embedding)).toEqual(hashVector('a kettle'));
    const vectors = many.data.map(({ embedding }: { embedding: number[] }) => Float32Array.from(embedding));
    expect(vectors).toEqual(Array.from({ length: 25 }, (_, i) => hashVector(`text ${i}`)));
    const bytes = Buffer.from(packed.data[0].embedding, 'base64');
    expect(new Float32Array(Uint8Array.from(bytes).buffer)).toEqual(hashVector('boots'));
    expect(short.data[0].embedding).toHaveLength(4);
    const tokens = answers.reduce((sum, { response }) => sum + response!.body.usage.total_tokens, 0);
    expect(done.usage).toMatchObject({ input_tokens: tokens, total_tokens: tokens, output_tokens: 0 });
    const output = await client.files.retrieve(done.output_file_id!);
    expect(output).toMatchObject({ purpose: 'batch_output', filename: `${done.id}_output.jsonl` });
  });

  it('lists failed requests in the error file and completes all others', async () => {
    const { api, client } = await start({ config: { maxRowBytes: 1000 } });
    await startHashWorker(api.redis);
    const created = await submitBatch(client, [
      requestLine('good', 'a kettle'),
      requestLine('empty', ''),
      requestLine('blank', ['a lamp', '   ']),
      requestLine('ids', [1, 2, 3]),
      requestLine('huge', 'x'.repeat(1001)),
      requestLine('format', 'a', { encoding_format: 'md5' }),
      requestLine('wide', 'a', { dimensions: 17 }),
      requestLine('long', 'word '.repeat(100), { truncate: 'error' }),
      requestLine('last', 'boots'),
    ]);
    const done = await whenBatch(client, created.id);
    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 9, completed: 2, failed: 7 },
    });
    const answers = await readAnswers(client, done.output_file_id);
    expect(answers.map(({ custom_id }) => custom_id)).toEqual(['good', 'last']);
    const errors = await readAnswers(client, done.error_file_id);
    const told = errors.map(({ custom_id, response, error }) => {
      expect([response!.status_code, error]).toEqual([400, null]);
      return [custom_id, response!.body.error.message];
    });
    expect(told).toEqual([
      ['empty', expect.stringContaining("'$.input' is invalid")],
      ['blank', expect.stringContaining("'$.input' is invalid")],
      ['ids', expect.stringContaining("these token ids may be those of OpenAI's tokenizers")],
      ['huge', expect.stringContaining('a text must have at most 1000 bytes')],
      ['format', expect.stringContaining("Invalid value for 'encoding_format' = md5")],
      ['wide', expect.stringContaining('This model has 16 dimensions')],
      ['long', expect.stringContaining('maximum context length')],
    ]);
  });

  it('is completed without an output file if every request fails', async () => {
    const { client } = await start();
    const { id } = await submitBatch(client, [requestLine('a', ''), requestLine('b', [])]);
    const done = await whenBatch(client, id);
    expect(done).toMatchObject({ status: 'completed', output_file_id: null });
    expect(await readAnswers(client, done.error_file_id)).toHaveLength(2);
  });

  it('does not need the uploaded input file once it is created', async () => {
    const { api, client } = await start();
    const batch = await submitBatch(client, [requestLine('a', 'a kettle')]);
    await client.files.delete(batch.input_file_id);
    await startHashWorker(api.redis);
    const done = await whenBatch(client, batch.id);
    expect(await readAnswers(client, done.output_file_id)).toHaveLength(1);
  });

  it('is also a run, whose vectors are available in every format', async () => {
    const { api, client } = await start();
    await startHashWorker(api.redis);
    const { id } = await submitBatch(client, [requestLine('a', 'a kettle'), requestLine('b', ['x', 'y'])]);
    const { run_id } = await whenBatch(client, id);
    const ids = await api.call('GET', `/v1/runs/${run_id}/ids`);
    expect(await (ids as unknown as Response).text()).toBe('{"id":"a"}\n{"id":"b:0"}\n{"id":"b:1"}\n');
  });
});

/** [lines, code, line, param] */
const unusable: [name: string, lines: unknown[], code: string, line: number | null, param: string | null][] =
  [
    ['no line', [], 'empty_file', null, null],
    ['blank lines only', ['', '  '], 'empty_file', null, null],
    ['a line that is not JSON', [requestLine('a', 'x'), '{"custom_id"'], 'invalid_json_line', 2, null],
    ['a line that is a list', ['[1]'], 'invalid_json_line', 1, null],
    [
      'an id twice',
      [requestLine('a', 'x'), '', requestLine('a', 'y')],
      'duplicate_custom_id',
      3,
      'custom_id',
    ],
    [
      'no id',
      [{ ...requestLine('a', 'x'), custom_id: undefined }],
      'missing_required_parameter',
      1,
      'custom_id',
    ],
    ['another URL', [{ ...requestLine('a', 'x'), url: '/v1/completions' }], 'url_mismatch', 1, 'url'],
    ['another method', [{ ...requestLine('a', 'x'), method: 'GET' }], 'invalid_method', 1, 'method'],
    ['no body', [{ ...requestLine('a', 'x'), body: undefined }], 'missing_required_parameter', 1, 'body'],
    [
      'no model',
      [requestLine('a', 'x', { model: undefined })],
      'missing_required_parameter',
      1,
      'body.model',
    ],
    ['an unknown model', [requestLine('a', 'x', { model: 'gpt' })], 'model_not_found', 1, 'body.model'],
    [
      'two models',
      [requestLine('a', 'x'), requestLine('b', 'y', { model: 'all-minilm' })],
      'model_mismatch',
      2,
      'body.model',
    ],
    ['too many lines', ['a', 'b', 'c', 'd'].map((id) => requestLine(id, 'x')), 'too_many_tasks', null, null],
  ];

describe('an input file with', () => {
  it.each(unusable)(
    '%s fails the batch during validation, with the line number',
    async (_name, lines, code, line, param) => {
      const { api, client } = await start({ config: { maxBatchLines: 3 } });
      const created = await submitBatch(client, lines);
      expect(['validating', 'failed']).toContain(created.status);
      const failed = await whenBatch(client, created.id);
      expect(failed).toMatchObject({
        status: 'failed',
        failed_at: expect.any(Number),
        output_file_id: null,
        request_counts: { total: 0, completed: 0, failed: 0 },
      });
      expect(failed.errors).toMatchObject({ object: 'list', data: [{ code, line, param }] });
      expect(api.collecting.runs.list()).toEqual([]);
    },
  );

  it('many faulty lines reports the first hundred', async () => {
    const { client } = await start();
    const { id } = await submitBatch(client, Array(150).fill('no JSON'));
    const { errors } = await whenBatch(client, id);
    expect(errors!.data!.map(({ line }) => line)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });
});

describe('a batch in progress', () => {
  const lines = Array.from({ length: 60 }, (_, i) => requestLine(`r${i}`, `text ${i}`));

  it('reports its progress and serves its partial output in order', async () => {
    const { api, client } = await start({ shardBytes: 1 });
    const held = gate(3);
    await startHashWorker(api.redis, held);
    const { id } = await submitBatch(client, lines);
    await until(async () => (await whenBatch(client, id, ['in_progress'])).request_counts!.completed >= 30);
    const shown = await whenBatch(client, id, ['in_progress']);
    expect(shown).toMatchObject({
      request_counts: { total: 60, completed: 30, failed: 0 },
      rows: { total: 60, done: 30 },
    });
    expect(shown.rows_per_second).toBeGreaterThan(0);
    expect(shown.eta_seconds).toBeGreaterThan(0);
    const soFar = (await api.call('GET', `/v1/batches/${id}/output`)) as unknown as Response;
    expect(soFar.headers.get('x-batch-status')).toBe('in_progress');
    const beginning = await soFar.text();
    expect(parseAnswers(beginning).length).toBeGreaterThan(0);
    held.open();
    const done = await whenBatch(client, id);
    const whole = await (await client.files.content(done.output_file_id!)).text();
    expect(parseAnswers(whole)).toHaveLength(60);
    expect(whole.startsWith(beginning)).toBe(true);
    const after = (await api.call('GET', `/v1/batches/${id}/output`)) as unknown as Response;
    expect(await after.text()).toBe(whole);
  });

  it('can be cancelled; finished requests are kept, the others reported', async () => {
    const { api, client } = await start({ shardBytes: 1 });
    const held = gate(3);
    await startHashWorker(api.redis, held);
    const { id } = await submitBatch(client, lines);
    await until(async () => {
      const text = await ((await api.call('GET', `/v1/batches/${id}/output`)) as unknown as Response).text();
      return parseAnswers(text).length >= 10;
    });
    const cancelling = await client.batches.cancel(id);
    expect(['cancelling', 'cancelled']).toContain(cancelling.status);
    expect(cancelling.cancelling_at).not.toBeNull();
    const { status, cancelled_at, request_counts, ...files } = await whenBatch(client, id);
    held.open();
    expect([status, request_counts!.total, request_counts!.failed]).toEqual(['cancelled', 60, 0]);
    expect(cancelled_at).not.toBeNull();
    const answers = await readAnswers(client, files.output_file_id);
    const rest = await readAnswers(client, files.error_file_id);
    expect(answers.length).toBe(request_counts!.completed);
    expect(answers.length).toBeGreaterThanOrEqual(10);
    expect(rest.length).toBe(60 - answers.length);
    for (const { response, error } of rest)
      expect([response, error!.code]).toEqual([null, 'batch_cancelled']);
    const all = [...answers, ...rest].map(({ custom_id }) => custom_id);
    expect(all.toSorted()).toEqual(lines.map(({ custom_id }) => custom_id).toSorted());
    const again = client.batches.cancel(id);
    await expect(again).rejects.toThrow("Cannot cancel a batch with status 'cancelled'.");
    await expect(again).rejects.toBeInstanceOf(OpenAI.ConflictError);
  });

  it('expires at the end of its completion window', async () => {
    const { client } = await start();
    const { id } = await submitBatch(client, lines, {
      completion_window: '1s' as OpenAI.BatchCreateParams['completion_window'],
    });
    const expired = await whenBatch(client, id);
    expect(expired).toMatchObject({ status: 'expired', output_file_id: null });
    expect(expired.expired_at).toBeGreaterThanOrEqual(expired.expires_at!);
    const rest = await readAnswers(client, expired.error_file_id);
    expect(rest.map(({ error }) => error?.code)).toEqual(Array(60).fill('batch_expired'));
  });

  it('is cancelled when its run is cancelled', async () => {
    const { api, client } = await start();
    const { id } = await submitBatch(client, lines);
    await until(async () => (await whenBatch(client, id, ['in_progress'])).run_id !== null);
    const { run_id } = await whenBatch(client, id, ['in_progress']);
    await until(() => api.collecting.runs.get(run_id!).state === 'sealed');
    await api.call('POST', `/v1/runs/${run_id}/cancel`);
    expect((await whenBatch(client, id)).status).toBe('cancelled');
  });
});

describe('the list of batches', () => {
  it('is paginated, newest first', async () => {
    const { client } = await start();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.push((await submitBatch(client, ['no JSON'])).id);
    const listed: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(made.toSorted().toReversed());
  });
});

/** [body, parameter] */
const refused: [body: Record<string, unknown>, param: string][] = [
  [{ input_file_id: undefined }, 'input_file_id'],
  [{ input_file_id: 'file-unknown' }, 'input_file_id'],
  [{ endpoint: '/v1/chat/completions' }, 'endpoint'],
  [{ completion_window: 'soon' }, 'completion_window'],
  [{ metadata: { key: 7 } }, 'metadata'],
  [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }, 'metadata'],
  [{ output_expires_after: { anchor: 'created_at', seconds: 60 } }, 'output_expires_after'],
];

describe('a request for a batch', () => {
  it.each(refused)('with %j is rejected immediately', async (body, param) => {
    const { client } = await start();
    const call = submitBatch(client, [requestLine('a', 'x')], body as Partial<OpenAI.BatchCreateParams>);
    await expect(call).rejects.toMatchObject({ status: 400, param, type: 'invalid_request_error' });
  });

  it('that does not exist is 404', async () => {
    const { client } = await start();
    for (const call of [client.batches.retrieve('batch_x'), client.batches.cancel('batch_x')]) {
      await expect(call).rejects.toMatchObject({ status: 404, param: 'batch_id' });
    }
  });
});
