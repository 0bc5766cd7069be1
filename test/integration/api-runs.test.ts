/** The life of runs over HTTP: create, list, show, seal, cancel, delete. */

import { describe, expect, it } from 'vitest';
import { makeRows, startApi, until } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';

const json = (body: string) => ({ headers: { 'content-type': 'application/json' }, body });

describe('POST /v1/runs', () => {
  it('creates an open run and returns its location', async () => {
    const api = await startApi();
    const response = await api.call(
      'POST',
      '/v1/runs',
      json('{"name":"reviews","precision":"fp32","truncate":"start","batchRows":5}'),
    );
    expect(response.status).toBe(201);
    const run = await response.json();
    expect(response.headers.get('location')).toBe(`/v1/runs/${run.id}`);
    expect(run).toMatchObject({
      state: 'open',
      options: {
        name: 'reviews',
        precision: 'fp32',
        truncate: 'start',
        batchRows: 5,
        model: 'all-MiniLM-L6-v2',
      },
      rows: { accepted: 0, rejected: 0, done: 0 },
      sealedAt: null,
      endedAt: null,
    });
    expect(await (await api.call('GET', `/v1/runs/${run.id}`)).json()).toEqual(run);
  });

  it('takes defaults from the settings of the producer', async () => {
    const api = await startApi({ config: { batchRows: 33, batchTokens: 444, model: '/models/minilm-de' } });
    const response = await api.call('POST', '/v1/runs');
    expect(response.status).toBe(201);
    expect((await response.json()).options).toEqual({
      name: null,
      model: 'minilm-de',
      precision: 'int8',
      truncate: 'end',
      clean: [],
      long: 'truncate',
      prompt: '',
      glossary: null,
      batchRows: 33,
      batchTokens: 444,
    });
  });

  it('takes the options of another run as they are', async () => {
    const api = await startApi();
    const { options } = await (await api.call('POST', '/v1/runs')).json();
    const { glossary, ...others } = options;
    expect(glossary).toBeNull();
    const again = await api.call('POST', '/v1/runs', json(JSON.stringify(others)));
    expect(again.status).toBe(201);
    expect((await again.json()).options).toEqual(options);
  });

  it('rejects unknown keys and lists the known ones', async () => {
    const api = await startApi();
    const response = await api.call('POST', '/v1/runs', json('{"presicion":"fp32","__proto__":{"a":1}}'));
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await response.json();
    expect(problem).toMatchObject({
      type: 'urn:embedmill:problem:invalid-body',
      status: 422,
      code: 'invalid-body',
      instance: `urn:embedmill:request:${response.headers.get('x-request-id')}`,
    });
    expect(problem.detail).toContain('unknown "presicion"');
    expect(problem.detail).toContain('expected name, model, precision');
  });

  it('lists every invalid value with what was given', async () => {
    const api = await startApi();
    const body = '{"precision":"int4","batchRows":0,"name":"two\\nlines"}';
    const problem = await (await api.call('POST', '/v1/runs', json(body))).json();
    expect(problem.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'batchRows',
      'name',
      'precision',
    ]);
    expect(problem.detail).toContain('got "int4"');
  });

  it.each([
    ['an array', '[]', 422, 'invalid-body'],
    ['null', 'null', 422, 'invalid-body'],
    ['half an object', '{"name":', 400, 'malformed-json'],
    ['20,000 brackets', '['.repeat(20_000), 400, 'malformed-json'],
    ['20,000 closed brackets', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 422, 'invalid-body'],
    [
      '5,000 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, 1]))),
      422,
      'invalid-body',
    ],
    ['17 MB', JSON.stringify({ name: 'x'.repeat(17 * 1024 * 1024) }), 413, 'body-too-large'],
  ])('answers a body that is %s', async (_what, body, status, code) => {
    const api = await startApi();
    const response = await api.call('POST', '/v1/runs', json(body));
    expect(response.status).toBe(status);
    const problem = await response.json();
    expect(problem.code).toBe(code);
    expect(problem.detail.length).toBeLessThan(1000);
  });

  it('rejects JSON with another media type or not in UTF-8', async () => {
    const api = await startApi();
    const other = await api.call('POST', '/v1/runs', { headers: { 'content-type': 'text/xml' }, body: '{}' });
    expect(other.status).toBe(415);
    expect((await other.json()).code).toBe('unsupported-media-type');
    const latin1 = await api.call('POST', '/v1/runs', {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"name":"caf\u00e9"}', 'latin1'),
    });
    expect(latin1.status).toBe(400);
    expect((await latin1.json()).code).toBe('malformed-json');
  });
});

describe('GET /v1/runs', () => {
  it('lists runs newest first, page by page', async () => {
    const api = await startApi();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await api.create({ name: `run ${i}` })).id);
      // Ids sort by millisecond.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const after: string = next === '' ? '' : `&after=${next}`;
      const page = await (await api.call('GET', `/v1/runs?limit=2${after}`)).json();
      seen.push(...page.runs.map(({ id }: { id: string }) => id));
      next = page.next;
      // A page continues correctly after its last run was deleted.
      if (next !== null) await api.call('DELETE', `/v1/runs/${next}`);
    }
    expect(seen).toEqual(ids);
  });

  it('filters runs by state', async () => {
    const api = await startApi();
    const open = await api.create();
    const cancelled = await api.create();
    await api.call('POST', `/v1/runs/${cancelled.id}/cancel`);
    const { runs } = await (await api.call('GET', '/v1/runs?state=cancelled')).json();
    expect(runs.map(({ id }: { id: string }) => id)).toEqual([cancelled.id]);
    expect((await (await api.call('GET', '/v1/runs?state=open')).json()).runs[0].id).toBe(open.id);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['state=done', 'state'],
    ['page=2', 'unknown "page"'],
  ])('rejects ?%s', async (query, expected) => {
    const api = await startApi();
    const response = await api.call('GET', `/v1/runs?${query}`);
    expect(response.status).toBe(400);
    const problem = await response.json();
    expect(problem.code).toBe('invalid-query');
    expect(problem.detail).toContain(expected);
  });
});

describe('a run', () => {
  it('is completed automatically once it is sealed and all its rows are done', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await api.send(id, 0, [
      ...makeRows(25),
      { id: 'blank', text: ' ' },
      { id: 'long', text: 'word '.repeat(100) },
    ]);
    const sealed = await api.call('POST', `/v1/runs/${id}/seal`);
    expect(sealed.status).toBe(200);
    expect((await sealed.json()).sealedAt).not.toBeNull();
    const run = await api.completed(id);
    expect(run).toMatchObject({
      rows: { accepted: 27, rejected: 0, done: 27 },
      batches: { total: 3, done: 3, stored: 3 },
      verdicts: { ok: 25, truncated: 1, empty: 1, failed: 0 },
      lostTokens: 100,
      etaSeconds: null,
      error: null,
    });
    expect(run.rowsPerSecond).toBeGreaterThan(0);
    expect(api.collecting.credits.usedBytes).toBe(0);
    // Idempotent.
    expect((await (await api.call('POST', `/v1/runs/${id}/seal`)).json()).sealedAt).toBe(run.sealedAt);
  });

  it('is completed immediately if it is sealed without rows', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await api.call('POST', `/v1/runs/${id}/seal`);
    expect((await response.json()).state).toBe('completed');
    const npy = await api.call('GET', `/v1/runs/${id}/results?format=npy`);
    expect(Buffer.from(await npy.arrayBuffer()).toString('latin1')).toContain('(0, 384)');
    expect(await (await api.call('GET', `/v1/runs/${id}/results`)).text()).toBe('');
  });

  it('cannot be sealed while a part is incomplete, and names the part', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const broken = new AbortController();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(
          Buffer.from(
            makeRows(2000)
              .map((row) => `${JSON.stringify(row)}\n`)
              .join(''),
          ),
        );
      },
    });
    const upload = api.call('POST', `/v1/runs/${id}/rows?part=4`, {
      headers: { 'content-type': 'application/x-ndjson' },
      body,
      duplex: 'half',
      signal: broken.signal,
    } as RequestInit);
    await until(() => (api.collecting.runs.get(id).info().batches.total ?? 0) > 0);
    const during = await api.call('POST', `/v1/runs/${id}/seal`);
    expect(during.status).toBe(409);
    expect(await during.json()).toMatchObject({ code: 'parts-incomplete', parts: [4] });
    broken.abort();
    await expect(upload).rejects.toThrow();
    const after = await api.call('POST', `/v1/runs/${id}/seal`);
    expect(await after.json()).toMatchObject({ code: 'parts-incomplete', parts: [4] });
  });

  it('can be cancelled, which frees its memory in Redis and rejects further rows', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.send(id, 0, makeRows(50));
    expect(api.collecting.credits.usedBytes).toBeGreaterThan(0);
    const response = await api.call('POST', `/v1/runs/${id}/cancel`);
    expect(response.status).toBe(200);
    expect((await response.json()).state).toBe('cancelled');
    expect(api.collecting.credits.usedBytes).toBe(0);
    const again = await api.call('POST', `/v1/runs/${id}/cancel`);
    expect((await again.json()).state).toBe('cancelled');
    const more = await api.send(id, 1, makeRows(1));
    expect(more.status).toBe(409);
    expect(await more.json()).toMatchObject({ code: 'run-ended', state: 'cancelled' });
    const seal = await api.call('POST', `/v1/runs/${id}/seal`);
    expect(await seal.json()).toMatchObject({ code: 'run-ended', state: 'cancelled' });
    expect((await (await api.call('GET', `/v1/runs/${id}/results`)).json()).state).toBe('cancelled');
  });

  it('no longer exists after DELETE, whatever its state', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.send(id, 0, makeRows(50));
    const response = await api.call('DELETE', `/v1/runs/${id}`);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/seal'],
      ['POST', '/cancel'],
      ['POST', '/rows?part=0'],
      ['GET', '/parts'],
      ['GET', '/results'],
      ['GET', '/ids'],
      ['GET', '/report'],
      ['GET', '/events'],
    ] as const) {
      const gone = await api.call(method, `/v1/runs/${id}${path}`);
      expect([method, path, gone.status, (await gone.json()).code]).toEqual([
        method,
        path,
        404,
        'unknown-run',
      ]);
    }
    expect(api.collecting.credits.usedBytes).toBe(0);
  });
});
