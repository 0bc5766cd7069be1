/** Web pages of other sites cannot use a producer through the browser of a person who can reach it. */

import { hostname } from 'node:os';
import { readConfig } from '@embedmill/core/process';
import { createApi, RULES } from '@embedmill/producer';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { rawRequest } from '../support/raw-http.ts';
import { routesOf } from '../support/routes.ts';

/** Status and code of the response to a request with exactly these header lines. */
async function send(
  api: TestApi,
  line: string,
  headers: readonly string[],
  body = '',
): Promise<[status: number, code: string | undefined]> {
  const head = [line, ...headers, 'Connection: close', `Content-Length: ${body.length}`, '', body];
  const answer = await rawRequest(api, head.join('\r\n'));
  return [Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), /"code":"([^"]+)"/.exec(answer)?.[1]];
}

const hostRefused = [421, 'host-not-allowed'];
const originRefused = [403, 'origin-not-allowed'];
const served = [200, undefined];

describe('the Host of a request', () => {
  const statusOf = async (api: TestApi, host: string) => await send(api, 'GET /v1/runs HTTP/1.1', [host]);

  it('may be an address, localhost, a service name, a private name or the name of the machine', async () => {
    const api = await startApi();
    const names = [
      '127.0.0.1:8080',
      '192.168.1.20',
      '[::1]:8080',
      '[fe80::1]',
      'localhost',
      'LOCALHOST:8080',
      'localhost.:8080',
      'mill.localhost',
      // Compose and Kubernetes services.
      'producer:8080',
      'embedmill-producer:8080',
      'embedmill-producer.jobs.svc:8080',
      'embedmill-producer.jobs.svc.cluster.local:8080',
      'nas.local',
      'embed.corp.internal:80',
      'Mill.Home.Arpa',
      hostname(),
    ];
    for (const name of names) expect([name, await statusOf(api, `Host: ${name}`)]).toEqual([name, served]);
  });

  it('must not be a name that a stranger can own, however it is written', async () => {
    const api = await startApi();
    const names = [
      'evil.example',
      'evil.example:8080',
      'EVIL.example',
      'evil.example.',
      'evil.example.:8080',
      'localhost.evil.example',
      '127.0.0.1.nip.io:8080',
      'evil-localhost.com',
      '127.0.0.1@evil.example',
      'evil.example/localhost',
      'evil.example#localhost',
      '[::1].evil.example',
      '[evil.example]',
      '0x7f.1',
      'evil.example:8080:localhost',
      '',
    ];
    for (const name of names) expect([name, (await statusOf(api, `Host: ${name}`))[0]]).toEqual([name, 421]);
    expect(await statusOf(api, 'Host: evil.example')).toEqual(hostRefused);
  });

  it('is also checked in a request target that is a URL', async () => {
    const api = await startApi();
    const target = async (url: string) => await send(api, `GET ${url} HTTP/1.1`, ['Host: localhost']);
    expect(await target('http://evil.example/v1/runs')).toEqual(hostRefused);
    expect(await target('HTTP://EVIL.example:80/v1/runs')).toEqual(hostRefused);
    expect(await target('ftp://evil.example/v1/runs')).toEqual(hostRefused);
    expect(await target('http://localhost:8080/v1/runs')).toEqual(served);
  });

  it('is missing only in requests that are not from a browser', async () => {
    const api = await startApi();
    expect((await send(api, 'GET /v1/runs HTTP/1.1', []))[0]).toBe(400);
    expect(await send(api, 'GET /healthz HTTP/1.0', [])).toEqual(served);
  });

  it('may be listed, or be any name with *', async () => {
    const listed = await startApi({
      config: readConfig({ EMBEDMILL_ALLOWED_HOSTS: 'embed.example.com, Other.example' }),
    });
    for (const name of ['embed.example.com', 'Embed.Example.com.:8443', 'other.example'])
      expect([name, await statusOf(listed, `Host: ${name}`)]).toEqual([name, served]);
    for (const name of ['example.com', 'x.embed.example.com', 'evil.example'])
      expect([name, await statusOf(listed, `Host: ${name}`)]).toEqual([name, hostRefused]);
    const any = await startApi({ config: readConfig({ EMBEDMILL_ALLOWED_HOSTS: '*' }) });
    expect(await statusOf(any, 'Host: evil.example')).toEqual(served);
  });

  it('is checked before pages, probes, metrics and keys', async () => {
    const api = await startApi();
    for (const path of ['/', '/healthz', '/metrics', '/docs', '/openapi.json', '/assets/x.js', '/nothing'])
      expect([
        path,
        (await send(api, `GET ${path} HTTP/1.1`, ['Host: evil.example', 'Accept: text/html']))[0],
      ]).toEqual([path, 421]);
  });

  it('is reported in the format of each API', async () => {
    const api = await startApi();
    const bodyOf = async (path: string) => {
      const answer = await rawRequest(
        api,
        `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      );
      expect([path, answer.split(' ')[1]]).toEqual([path, '421']);
      return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    };
    const message =
      'this producer does not answer to the host "evil.example"; add the host name to EMBEDMILL_ALLOWED_HOSTS';
    expect(await bodyOf('/v1/runs')).toMatchObject({ code: 'host-not-allowed', detail: message });
    expect(await bodyOf('/v1/models')).toEqual({
      error: { message, type: 'invalid_request_error', param: null, code: null },
    });
    expect(await bodyOf('/api/tags')).toEqual({ error: message });
    expect(await bodyOf('/info')).toEqual({ error: message, error_type: 'Validation' });
  });
});

describe('a page of another origin', () => {
  const changing = routesOf(
    createApi({
      service: {} as never,
      config: readConfig({}),
      log: pino({ level: 'silent' }),
      version: '1.2.3',
    }),
  ).filter(({ method }) => method !== 'GET');
  const host = 'Host: localhost:8080';

  it('cannot submit a form to any route that accepts bodies', async () => {
    const api = await startApi();
    // Every rule that changes something has a route here, so none is forgotten.
    expect(changing.length).toBeGreaterThanOrEqual(RULES.filter(([method]) => method === 'POST').length);
    for (const { method, path } of changing) {
      for (const headers of [
        ['Origin: http://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate'],
        ['Origin: http://localhost:3000', 'Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: no-cors'],
        // Browsers before Fetch Metadata, and over HTTP to a name other than localhost.
        ['Origin: https://evil.example'],
        // Sandboxed frames, files, and referrer policies.
        ['Origin: null'],
        ['Origin: file://'],
        ['Sec-Fetch-Site: cross-site'],
      ]) {
        const line = `${method} ${path.replace(/:[a-z]+/g, 'x')} HTTP/1.1`;
        const form = [host, 'Content-Type: text/plain', ...headers];
        expect([line, headers, (await send(api, line, form, '{}'))[0]]).toEqual([line, headers, 403]);
      }
    }
  });

  it('cannot read anything, but may link to a page', async () => {
    const api = await startApi();
    const get = async (...headers: string[]) => await send(api, 'GET /v1/runs HTTP/1.1', [host, ...headers]);
    expect(await get('Origin: http://evil.example')).toEqual(originRefused);
    expect(await get('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors')).toEqual(originRefused);
    expect(await get('Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: cors')).toEqual(originRefused);
    expect(await get('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate')).toEqual(served);
    const preflight = ['Origin: http://evil.example', 'Access-Control-Request-Method: DELETE'];
    expect((await send(api, 'OPTIONS /v1/runs/x HTTP/1.1', [host, ...preflight]))[0]).toBe(403);
  });

  it('may use the API if its origin is listed', async () => {
    const api = await startApi({ config: readConfig({ EMBEDMILL_CORS_ORIGINS: 'https://app.example.com' }) });
    const get = async (origin: string) =>
      await send(api, 'GET /v1/runs HTTP/1.1', [host, `Origin: ${origin}`, 'Sec-Fetch-Site: cross-site']);
    expect(await get('https://app.example.com')).toEqual(served);
    expect(await get('http://app.example.com')).toEqual(originRefused);
    expect(await get('https://app.example.com.evil.example')).toEqual(originRefused);
    expect(await get('null')).toEqual(originRefused);
    const preflight = ['Origin: https://app.example.com', 'Access-Control-Request-Method: DELETE'];
    expect((await send(api, 'OPTIONS /v1/runs/x HTTP/1.1', [host, ...preflight]))[0]).toBe(204);
  });
});

describe('the pages of the producer', () => {
  const post = async (api: TestApi, ...headers: string[]) =>
    (
      await send(
        api,
        'POST /v1/runs HTTP/1.1',
        [...headers, 'Content-Type: application/json'],
        '{"name":"x"}',
      )
    )[0];

  it('may use the API under every name and port of it', async () => {
    const api = await startApi();
    for (const [host, origin] of [
      ['localhost:8080', 'http://localhost:8080'],
      ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
      ['[::1]:8080', 'http://[::1]:8080'],
      ['producer', 'http://producer'],
      ['producer:80', 'http://producer'],
      ['PRODUCER:80', 'http://producer'],
      // A proxy ends TLS.
      ['mill.internal', 'https://mill.internal'],
      ['mill.internal:443', 'https://mill.internal'],
    ])
      expect([host, await post(api, `Host: ${host}`, `Origin: ${origin}`)]).toEqual([host, 201]);
    expect(await post(api, 'Host: localhost:8080', 'Origin: http://localhost:8081')).toBe(403);
  });

  it('may use it behind a proxy that replaces Host', async () => {
    const listed = await startApi({ config: readConfig({ EMBEDMILL_ALLOWED_HOSTS: 'embed.example.com' }) });
    const origin = 'Origin: https://embed.example.com';
    expect(await post(listed, 'Host: producer:8080', origin)).toBe(201);
    expect(await post(listed, 'Host: producer:8080', 'Origin: https://evil.example')).toBe(403);
    // Over HTTPS the browser itself says so.
    const plain = await startApi();
    expect(await post(plain, 'Host: producer:8080', origin, 'Sec-Fetch-Site: same-origin')).toBe(201);
    expect(await post(plain, 'Host: producer:8080', origin)).toBe(403);
  });
});

it('clients that are not browsers send no Origin and are not affected', async () => {
  const api = await startApi();
  // fetch of Node sends Sec-Fetch-Mode.
  expect((await api.call('GET', '/v1/runs')).status).toBe(200);
  expect((await api.create({ name: 'x' })).state).toBe('open');
  expect((await send(api, 'GET /v1/runs HTTP/1.1', ['Host: 10.0.0.7:8080', 'User-Agent: curl/8']))[0]).toBe(
    200,
  );
});
