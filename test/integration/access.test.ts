/** API keys, roles, rate limit and CORS over HTTP. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { createApi, KeyRing, needOf, openRateLimiter, type RateLimiter, ruleFor } from '@embedmill/producer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi, type TestApi, until } from '../support/api.ts';
import { embedmill } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type TestRedis, testRedis } from '../support/redis.ts';
import { routesOf } from '../support/routes.ts';

const SECRETS = {
  read: 'the-key-of-the-reader',
  submit: 'the-key-of-the-pipeline',
  admin: 'the-key-of-the-operator',
} as const;
const KEYS = Object.entries(SECRETS)
  .map(([role, secret]) => `${role}er:${role}:${secret}`)
  .join(',');

const silent = createLogger({ logLevel: 'silent' }, 'test');

/** Starts an API that requires keys. */
async function startLocked(environment: Record<string, string> = {}, log = silent): Promise<TestApi> {
  const config = readConfig({ EMBEDMILL_API_KEYS: KEYS, ...environment });
  const keys = KeyRing.open({ config, log, pollMs: 20 });
  onTestFinished(() => keys?.close());
  return startApi({ config, access: { keys } });
}

function limiterOf(redisUrl: string, prefix: string, requestsPerMinute: number): RateLimiter {
  const limiter = openRateLimiter({ config: { requestsPerMinute, prefix }, redisUrl, log: silent })!;
  onTestFinished(() => limiter.close());
  return limiter;
}

/** A limiter that counts in Redis from the first request. */
async function connectedLimiter({ url, prefix, client }: TestRedis, limit: number): Promise<RateLimiter> {
  const limiter = limiterOf(url, prefix, limit);
  await until(async () => {
    await limiter.take('warm-up');
    return (await client.exists(`{${prefix}}:rate:warm-up`)) === 1;
  });
  return limiter;
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('the table of rules', () => {
  it('has every route of the API', () => {
    const app = createApi({
      service: {} as never,
      config: readConfig({}),
      log: silent,
      version: '1.2.3',
    });
    const routes = routesOf(app);
    expect(routes.length).toBeGreaterThan(15);
    const without = routes.filter(({ method, path }) => ruleFor(method, path) === undefined);
    expect(without).toEqual([]);
  });

  it('requires the role admin for paths without a rule', () => {
    expect(needOf('GET', '/v2/anything')).toBe('admin');
    expect(needOf('DELETE', '/v1/runs')).toBe('admin');
  });

  it.each([
    ['HEAD', '/v1/runs/r1/results', 'read'],
    ['GET', '/V1/Runs/', 'read'],
    ['POST', '/v1/runs/', 'submit'],
    ['GET', '/v1/runsall', 'admin'],
    ['GET', '/healthz/x', 'admin'],
    ['OPTIONS', '/v1/runs', 'open'],
  ])('matches paths as Express does: %s %s', (method, path, need) => {
    expect(needOf(method, path)).toBe(need);
  });
});

describe('an API with keys', () => {
  it('answers probes without a key and rejects everything else', async () => {
    const api = await startLocked();
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await api.call('GET', path)).status).toBe(200);
    for (const [method, path] of [
      ['GET', '/v1/runs'],
      ['POST', '/v1/runs'],
      ['GET', '/v1/scale'],
      ['GET', '/nowhere'],
    ] as const) {
      const response = await api.call(method, path);
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="embedmill"');
      expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
    }
  });

  it('requires a key at /metrics if configured', async () => {
    const api = await startLocked({ EMBEDMILL_METRICS_ACCESS: 'read' });
    expect((await api.call('GET', '/metrics')).status).toBe(401);
    expect((await api.call('GET', '/metrics', { headers: bearer(SECRETS.read) })).status).toBe(200);
  });

  it('accepts a key in every form that clients send', async () => {
    const api = await startLocked();
    const basic = (user: string) => `Basic ${Buffer.from(`${user}:${SECRETS.read}`).toString('base64')}`;
    for (const headers of [
      bearer(SECRETS.read),
      { authorization: `bearer ${SECRETS.read}` },
      { 'x-api-key': SECRETS.read },
      { authorization: basic('anybody') },
    ]) {
      expect((await api.call('GET', '/v1/runs', { headers })).status).toBe(200);
    }
    for (const headers of [
      bearer(`${SECRETS.read}x`),
      bearer(''),
      { authorization: SECRETS.read },
      { authorization: `Digest ${SECRETS.read}` },
      { 'x-api-key': '' },
    ]) {
      expect((await api.call('GET', '/v1/runs', { headers })).status).toBe(401);
    }
  });

  it('grants each role its own routes and no others', async () => {
    const api = await startLocked();
    const ask = async (role: keyof typeof SECRETS, method: string, path: string) =>
      (await api.call(method, path, { headers: bearer(SECRETS[role]) })).status;
    expect(await ask('read', 'GET', '/v1/runs')).toBe(200);
    expect(await ask('read', 'POST', '/v1/runs')).toBe(403);
    expect(await ask('read', 'DELETE', '/v1/runs/r1')).toBe(403);
    expect(await ask('submit', 'POST', '/v1/runs')).toBe(201);
    expect(await ask('submit', 'DELETE', '/v1/runs/r1')).toBe(404);
    expect(await ask('submit', 'GET', '/nowhere')).toBe(403);
    expect(await ask('admin', 'POST', '/v1/runs')).toBe(201);
    expect(await ask('admin', 'GET', '/nowhere')).toBe(404);
    const refused = await api.call('POST', '/v1/runs', { headers: bearer(SECRETS.read) });
    expect(await refused.json()).toMatchObject({ code: 'forbidden', need: 'submit', role: 'read' });
  });

  it('rejects cross-site requests with Basic authentication', async () => {
    const api = await startLocked();
    const authorization = `Basic ${Buffer.from(`me:${SECRETS.submit}`).toString('base64')}`;
    const from = async (site: string) =>
      (await api.call('POST', '/v1/runs', { headers: { authorization, 'sec-fetch-site': site } })).status;
    expect([await from('cross-site'), await from('same-site'), await from('same-origin')]).toEqual([
      403, 403, 201,
    ]);
  });

  it('logs the name of a key, never its secret', async () => {
    const api = await startLocked();
    await api.call('POST', '/v1/runs', { headers: bearer(SECRETS.submit) });
    await api.call('POST', '/v1/runs', { headers: { 'x-api-key': 'a-guess-that-is-wrong' } });
    await until(() => api.logged.filter(({ msg }) => msg === 'request').length === 2);
    expect(api.logged.find(({ status }) => status === 201)).toMatchObject({ key: 'submiter' });
    expect(JSON.stringify(api.logged)).not.toMatch(/the-key-of|a-guess/);
  });

  it('accepts the command with the key from its environment', async () => {
    const api = await startLocked();
    const list = (key: string | undefined) =>
      embedmill(['runs', 'list', '--server', api.url], { env: { EMBEDMILL_API_KEY: key } });
    expect(await list(SECRETS.read)).toMatchObject({ code: 0, stdout: 'no runs\n' });
    const refused = await list(undefined);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('EMBEDMILL_API_KEY')]);
  });

  it('reloads its file: old keys become invalid, new ones valid, and a typo locks no client out', async () => {
    const path = join(temporaryFolder(), 'keys');
    const replace = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    replace(`old:read:${SECRETS.read}\n`);
    const errors: unknown[] = [];
    const log = { info: () => {}, error: (facts: unknown) => errors.push(facts) } as unknown as typeof silent;
    const api = await startLocked({ EMBEDMILL_API_KEYS: '', EMBEDMILL_API_KEYS_FILE: path }, log);
    const status = async (secret: string) =>
      (await api.call('GET', '/v1/runs', { headers: bearer(secret) })).status;
    expect([await status(SECRETS.read), await status(SECRETS.admin)]).toEqual([200, 401]);
    replace(`# rotated\nnew:admin:${SECRETS.admin}\n`);
    await until(async () => (await status(SECRETS.admin)) === 200);
    expect(await status(SECRETS.read)).toBe(401);
    replace(`newer:admin:${SECRETS.submit}\nnot a key\n`);
    await until(() => errors.length > 0);
    expect(JSON.stringify(errors)).not.toContain(SECRETS.submit);
    expect([await status(SECRETS.admin), await status(SECRETS.submit)]).toEqual([200, 401]);
  });

  it('ends the event streams and downloads of a key that is removed or loses its role, and no others', async () => {
    const path = join(temporaryFolder(), 'keys');
    const replace = (text: string) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    const operator = `operator:admin:${SECRETS.admin}\n`;
    replace(`old:read:${SECRETS.read}\npipeline:submit:${SECRETS.submit}\n${operator}`);
    const api = await startLocked({ EMBEDMILL_API_KEYS: '', EMBEDMILL_API_KEYS_FILE: path });
    const headers = bearer(SECRETS.admin);
    const created = await api.call('POST', '/v1/runs', { headers });
    const { id } = await created.json();
    const stream = async (secret: string) => {
      const answer = await api.call('GET', `/v1/runs/${id}/events`, { headers: bearer(secret) });
      expect(answer.status).toBe(200);
      const state = { isOpen: true };
      void answer.text().then(
        () => {
          state.isOpen = false;
        },
        () => {
          state.isOpen = false;
        },
      );
      return state;
    };
    const removed = await stream(SECRETS.read);
    const kept = await stream(SECRETS.submit);
    // An upload needs the role submit, which this key loses.
    const upload = api
      .call('POST', `/v1/runs/${id}/rows?part=0`, {
        headers: { ...bearer(SECRETS.submit), 'content-type': 'application/x-ndjson' },
        body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{"text":"x"}\n')) }),
        duplex: 'half',
      } as RequestInit)
      .then(
        (answer) => answer.status,
        () => 'ended',
      );
    replace(`pipeline:read:${SECRETS.submit}\n${operator}`);
    await until(() => !removed.isOpen);
    // One that arrives only after the change is refused.
    expect(['ended', 403]).toContain(await upload);
    expect(kept.isOpen).toBe(true);
  });

  it('does not start with an invalid file', () => {
    const config = readConfig({ EMBEDMILL_API_KEYS_FILE: join(temporaryFolder(), 'nowhere') });
    expect(() => KeyRing.open({ config, log: silent })).toThrow(
      /EMBEDMILL_API_KEYS_FILE: .*nowhere.*cannot be read/,
    );
  });
});

describe('a rejection', () => {
  it('has the error shape of its path', async () => {
    const api = await startLocked();
    const answer = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const response = await api.call(method, path, { headers });
      const text = await (response as unknown as Response).text();
      return { status: response.status, body: text === '' ? '' : JSON.parse(text) };
    };
    expect(await answer('POST', '/v1/embeddings')).toEqual({
      status: 401,
      body: {
        error: {
          message: expect.stringContaining('API key'),
          type: 'invalid_request_error',
          param: null,
          code: 'invalid_api_key',
        },
      },
    });
    expect(await answer('POST', '/v1/files', bearer(SECRETS.read))).toMatchObject({
      status: 403,
      body: { error: { type: 'invalid_request_error', code: 'forbidden' } },
    });
    expect(await answer('POST', '/api/embed')).toEqual({
      status: 401,
      body: { error: expect.stringContaining('API key') },
    });
    expect(await answer('POST', '/embed')).toEqual({ status: 401, body: '' });
    expect(await answer('POST', '/embed', bearer(SECRETS.read))).toMatchObject({
      status: 403,
      body: { error_type: 'Validation' },
    });
  });
});

describe('the rate limit', () => {
  it('is shared by all producers, reports the remaining allowance, and applies per key', async () => {
    const redis = testRedis();
    const config = readConfig({ EMBEDMILL_API_KEYS: KEYS });
    const start = async () =>
      startApi({
        config,
        access: { keys: KeyRing.open({ config, log: silent }), limiter: await connectedLimiter(redis, 3) },
      });
    const [one, other] = [await start(), await start()];
    const ask = (api: TestApi, secret: string, path = '/v1/runs') =>
      api.call('GET', path, { headers: bearer(secret) });
    const first = await ask(one, SECRETS.read);
    expect(first.headers.get('ratelimit-policy')).toBe('"default";q=3;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"default";r=2;t=\d+$/);
    await ask(other, SECRETS.read);
    expect((await ask(one, SECRETS.read)).status).toBe(200);
    const refused = await ask(other, SECRETS.read);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'rate-limited' });
    const openai = await ask(one, SECRETS.read, '/v1/models');
    expect(Number(openai.headers.get('retry-after-ms'))).toBeGreaterThan(0);
    expect(await openai.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
    expect((await ask(one, SECRETS.admin)).status).toBe(200);
    expect((await one.call('GET', '/healthz')).status).toBe(200);
  });

  it('applies per address without keys', async () => {
    const limiter = await connectedLimiter(testRedis(), 1);
    const api = await startApi({ access: { limiter } });
    expect([(await api.call('GET', '/v1/runs')).status, (await api.call('GET', '/v1/runs')).status]).toEqual([
      200, 429,
    ]);
  });

  it('continues without Redis, counted by each producer', async () => {
    const api = await startApi({ access: { limiter: limiterOf('redis://127.0.0.1:1', 'none', 2) } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await api.call('GET', '/v1/runs')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

describe('pages of other origins', () => {
  const preflight = {
    origin: 'https://app.example.com',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };

  it('are rejected unless configured', async () => {
    const api = await startApi();
    const response = await api.call('OPTIONS', '/v1/runs', { headers: preflight });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('are accepted if configured, before any key is required', async () => {
    const api = await startLocked({ EMBEDMILL_CORS_ORIGINS: 'https://app.example.com' });
    const allowed = await api.call('OPTIONS', '/v1/runs', { headers: preflight });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    const foreign = await api.call('OPTIONS', '/v1/runs', {
      headers: { ...preflight, origin: 'https://evil.example' },
    });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    const refused = await api.call('GET', '/v1/runs', { headers: { origin: 'https://app.example.com' } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(refused.headers.get('access-control-expose-headers')).toContain('X-Request-Id');
  });

  it('may have the scheme of an application or of a browser extension', async () => {
    const corsOrigins = ['app://obsidian.md', 'chrome-extension://*', 'tauri://localhost'];
    const api = await startApi({ config: { corsOrigins } });
    const from = async (origin: string) => {
      const { status, headers } = await api.call('GET', '/v1/runs', { headers: { origin } });
      return [status, headers.get('access-control-allow-origin')];
    };
    for (const origin of ['app://obsidian.md', 'chrome-extension://abcdef', 'tauri://localhost'])
      expect(await from(origin)).toEqual([200, origin]);
    for (const origin of ['app://other', 'tauri://localhost.evil', 'moz-extension://abcdef', 'null'])
      expect(await from(origin)).toEqual([403, null]);
  });
});
