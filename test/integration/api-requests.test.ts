/** What every request gets: a response, an id, headers and a log line; and the monitoring routes. */

import { describe, expect, it } from 'vitest';
import { makeRows, startApi, until } from '../support/api.ts';
import { rawRequest } from '../support/raw-http.ts';

const request = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, 'Host: test', 'Connection: close', ...headers, '', ''].join('\r\n');

describe('monitoring', () => {
  it('reports liveness without Redis', async () => {
    const api = await startApi();
    api.isWaitingForRedis = true;
    const response = await api.call('GET', '/healthz');
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok', version: '1.2.3' }]);
  });

  it('reports readiness and the reasons if not ready', async () => {
    const api = await startApi();
    const ready = await api.call('GET', '/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
    api.isWaitingForRedis = true;
    const waiting = await api.call('GET', '/readyz');
    expect([waiting.status, await waiting.json()]).toEqual([
      503,
      { ready: false, reasons: ['The producer is starting and waits for Redis.'] },
    ]);
  });

  it('reports the health, with what ends each problem', async () => {
    const api = await startApi();
    const works = await api.call('GET', '/v1/health');
    expect([works.status, await works.json()]).toEqual([
      200,
      { state: 'ok', sentence: '1 worker is connected; no run is active.', problems: [] },
    ]);
    api.isWaitingForRedis = true;
    expect(await (await api.call('GET', '/v1/health')).json()).toMatchObject({
      state: 'unavailable',
      problems: [
        {
          code: 'starting',
          severity: 'critical',
          remedy: expect.stringContaining('ends'),
          refusesRows: true,
        },
      ],
    });
  });

  it('receives alerts, as Alertmanager sends them, and lists those that fire', async () => {
    const api = await startApi();
    const send = (status: string, more: object = {}) => {
      const alert = {
        status,
        labels: { alertname: 'EmbedmillNoWorkers', severity: 'critical' },
        annotations: { summary: '12 batches wait.' },
        startsAt: '2026-11-28T12:00:00.123Z',
        endsAt: '0001-01-01T00:00:00Z',
        fingerprint: 'ab12',
        ...more,
      };
      const notice = { version: '4', receiver: 'producer', truncatedAlerts: 0, alerts: [alert] };
      const headers = { 'content-type': 'application/json' };
      return api.call('POST', '/v1/alerts', { headers, body: JSON.stringify(notice) });
    };
    const list = async () => (await api.call('GET', '/v1/alerts')).json();
    expect((await send('firing')).status).toBe(204);
    expect(await list()).toEqual({
      alerts: [
        {
          name: 'EmbedmillNoWorkers',
          severity: 'critical',
          summary: '12 batches wait.',
          runbookUrl: null,
          startsAt: '2026-11-28T12:00:00.123Z',
        },
      ],
    });
    expect((await send('pending')).status).toBe(422);
    expect((await send('firing', { annotations: { summary: 'x'.repeat(300_000) } })).status).toBe(413);
    expect((await send('resolved')).status).toBe(204);
    expect(await list()).toEqual({ alerts: [] });
  });

  it('serves metrics', async () => {
    const api = await startApi();
    const response = await api.call('GET', '/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('embedmill_runs_active 0\n');
  });
});

describe('while Redis is unavailable', () => {
  it('runs are rejected with 503', async () => {
    const api = await startApi();
    api.isWaitingForRedis = true;
    for (const [method, path] of [
      ['GET', '/v1/runs'],
      ['POST', '/v1/runs'],
      ['GET', '/v1/runs/r1'],
      ['POST', '/v1/runs/r1/rows?part=0'],
    ] as const) {
      const response = await api.call(method, path);
      expect([path, response.status, response.headers.get('retry-after')]).toEqual([path, 503, '2']);
      expect((await response.json()).code).toBe('redis-unavailable');
    }
  });

  it('rows on disk are kept, and the same part continues when Redis is back', async () => {
    const api = await startApi({ waits: true });
    const { id } = await api.create();
    const { exchange } = api.collecting;
    const putPayloads = exchange.putPayloads.bind(exchange);
    exchange.putPayloads = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:6379'));
    const refused = await api.send(id, 0, makeRows(30));
    expect(refused.status).toBe(503);
    expect((await refused.json()).code).toBe('redis-unavailable');
    exchange.putPayloads = putPayloads;
    expect(await (await api.send(id, 0, makeRows(30))).json()).toMatchObject({
      accepted: 30,
      duplicate: false,
    });
    api.collecting.collect();
    await until(async () => (await api.collecting.queue.counts()).waiting === 3);
  });

  it('its address is not disclosed', async () => {
    const api = await startApi();
    const { id } = await api.create();
    api.collecting.exchange.closeRun = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:6379'));
    const response = await api.call('DELETE', `/v1/runs/${id}`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('10.0.0.7');
  });
});

describe('an internal error', () => {
  it('is answered without its details, which are logged', async () => {
    const api = await startApi();
    api.collecting.runs.list = () => {
      throw new TypeError('secret of the house');
    };
    const response = await api.call('GET', '/v1/runs', { headers: { 'x-request-id': 'find-me-42' } });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain('secret');
    expect(text).not.toContain('.js');
    expect(JSON.parse(text)).toMatchObject({
      code: 'internal',
      instance: 'urn:embedmill:request:find-me-42',
    });
    const logged = api.logged.find(({ msg }) => msg === 'a request failed');
    expect(logged).toMatchObject({ requestId: 'find-me-42', err: { message: 'secret of the house' } });
  });

  it.each([
    ['ENOSPC', 'the disk of the data folder is full'],
    ['EDQUOT', 'the disk quota of the data folder is used up'],
  ])('is not reported for a full disk (%s)', async (code, detail) => {
    const api = await startApi();
    api.collecting.runs.create = () => Promise.reject(Object.assign(new Error('write /data/x'), { code }));
    const response = await api.call('POST', '/v1/runs');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({ code: 'disk-full', detail });
  });
});

describe('every response', () => {
  it('has the id that was given, or a new one', async () => {
    const api = await startApi();
    const given = await api.call('GET', '/healthz', { headers: { 'x-request-id': 'order-7:step.2' } });
    expect(given.headers.get('x-request-id')).toBe('order-7:step.2');
    const made = await api.call('GET', '/healthz');
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    for (const insane of ['two words', 'x'.repeat(129), '<script>']) {
      const response = await api.call('GET', '/nowhere', { headers: { 'x-request-id': insane } });
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('has security headers, and none that name the software', async () => {
    const api = await startApi();
    for (const path of ['/healthz', '/nowhere', '/v1/runs']) {
      const { headers } = await api.call('GET', path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('has a log line whose route contains no query, body or id', async () => {
    const api = await startApi();
    const { id } = await api.create();
    await api.call('POST', `/v1/runs/${id}/rows?part=0&textField=secretField`, {
      headers: { 'content-type': 'application/x-ndjson', 'x-request-id': 'the-upload' },
      body: '{"secretField":"a private opinion"}\n',
    });
    await until(() => api.logged.some(({ requestId }) => requestId === 'the-upload'));
    expect(api.logged.find(({ requestId }) => requestId === 'the-upload')).toMatchObject({
      msg: 'request',
      method: 'POST',
      route: '/v1/runs/:id/rows',
      status: 201,
      run: id,
      durationMs: expect.any(Number),
    });
    expect(JSON.stringify(api.logged)).not.toMatch(/secretField|private opinion/);
  });
});

describe('a request for something that does not exist', () => {
  it.each([
    '/v1',
    '/v1/runs/r1/vectors',
    '/v1/runs/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/v1/runs/%2e%2e%2fledger.journal/extra',
    '//v1/runs',
  ])('gets 404 at %s', async (path) => {
    const api = await startApi();
    const answer = await rawRequest(api, request(`GET ${path}`));
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain('"code":"not-found"');
  });

  it.each([
    '/v1/runs/..%2f..%2fetc%2fpasswd',
    '/v1/runs/%00',
    '/v1/runs/constructor',
    '/v1/runs/__proto__',
    `/v1/runs/${'a'.repeat(5000)}`,
  ])('gets 404 for the run at %s', async (path) => {
    const api = await startApi();
    const response = await api.call('GET', path);
    expect(response.status).toBe(404);
    const problem = await response.json();
    expect(problem.code).toBe('unknown-run');
    expect(problem.detail.length).toBeLessThan(200);
  });

  it.each(['/v1/runs/%E0%A4%A', '/v1/runs/%ff/events', '/v1/runs/%'])(
    'gets 400 for the path %s',
    async (path) => {
      const api = await startApi();
      const answer = await rawRequest(api, request(`GET ${path}`));
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"bad-path"');
    },
  );

  it.each([
    ['PUT', '/v1/runs', 'GET, HEAD, OPTIONS, POST'],
    ['PATCH', '/v1/runs/r1', 'DELETE, GET, HEAD, OPTIONS'],
    ['GET', '/v1/runs/r1/seal', 'OPTIONS, POST'],
    ['GET', '/v1/runs/r1/rows', 'OPTIONS, POST'],
    ['POST', '/healthz', 'GET, HEAD, OPTIONS'],
  ])('gets 405 for %s %s', async (method, path, allow) => {
    const api = await startApi();
    const response = await api.call(method, path);
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect((await response.json()).code).toBe('method-not-allowed');
    const options = await api.call('OPTIONS', path);
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
  });
});

describe('a malformed request', () => {
  it('does not affect other requests', async () => {
    const api = await startApi();
    const nonsense = [
      'GET / HTTP/1.1\r\n\r\n',
      'nonsense\r\n\r\n',
      '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
      request('GET /healthz', `X-Filler: ${'x'.repeat(100_000)}`),
      request('POST /v1/runs', 'Content-Length: -5'),
      request('POST /v1/runs', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      `${request('POST /v1/runs', 'Transfer-Encoding: chunked')}zzz\r\n`,
      `${request('POST /v1/runs', 'Content-Encoding: gzip', 'Content-Length: 3')}abc`,
      request('OPTIONS *'),
      request('GET http://elsewhere/healthz'),
      request('CONNECT elsewhere:443'),
      request('GET /healthz', 'Upgrade: websocket', 'Connection: Upgrade'),
      request('GET /v1/runs?limit[constructor]=1&__proto__[a]=1'),
      `${request('POST /v1/runs', 'Expect: 200-maybe', 'Content-Length: 2')}{}`,
    ];
    for (const bytes of nonsense) await rawRequest(api, bytes);
    expect((await api.call('GET', '/healthz')).status).toBe(200);
    expect((await api.create()).state).toBe('open');
    expect(api.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
