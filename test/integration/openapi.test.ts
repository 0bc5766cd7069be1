/** Compares the OpenAPI document with the responses of a real stack: every route and every schema. */

import { readConfig } from '@embedmill/core/process';
import { createLogger } from '@embedmill/core/telemetry';
import { type Access, createApi, KeyRing } from '@embedmill/producer';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { linesOf, makeRows, startApi, until } from '../support/api.ts';
import { laneForAll } from '../support/lane.ts';
import { routesOf } from '../support/routes.ts';

const log = createLogger({ logLevel: 'silent' }, 'test');

const lane = laneForAll();

interface Operation {
  operationId: string;
  requestBody?: { content: Record<string, { schema?: unknown }> };
  security?: unknown[];
  responses: Record<string, { content?: Record<string, unknown> }>;
}

/** The parts of the document that the tests read. */
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: object; required?: string[] }> };
}

let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  document = (await (await fetch(`${lane.producer.url}/openapi.json`)).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'document');
});

const pointer = (...names: string[]) =>
  names.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/** A request with the values of the parameters of its path. */
interface AskInit extends RequestInit {
  id?: string;
  name?: string;
  query?: string;
}

/** Sends a request and compares the response with the operation at `path`. */
async function ask(method: string, path: string, init: AskInit = {}) {
  const { id = '', name = '', query = '', ...request } = init;
  const address = path.replace(/\{\w+\}/, id).replace(/\{\w+\}/, name);
  const response = await fetch(`${lane.producer.url}${address}${query}`, {
    method: method.toUpperCase(),
    ...request,
  });
  const responses = document.paths[path]?.[method]?.responses;
  const status = responses?.[response.status] === undefined ? 'default' : String(response.status);
  const answer = responses?.[status];
  expect(
    answer,
    `${method} ${path} answered ${response.status}, which the document does not have`,
  ).toBeDefined();
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const body = Buffer.from(await response.arrayBuffer());
  if (answer?.content === undefined) {
    expect(body.length).toBe(0);
    return { status: response.status, value: undefined };
  }
  expect(Object.keys(answer.content)).toContain(type);
  if (!/[/+]json$/.test(type)) return { status: response.status, value: undefined };
  const value: unknown = JSON.parse(body.toString());
  const at = pointer('paths', path, method, 'responses', status, 'content', type, 'schema');
  const hasSchema = (answer.content[type] as { schema?: unknown }).schema !== undefined;
  if (hasSchema && !ajv.validate({ $ref: `document#/${at}` }, value)) {
    throw new Error(`${method} ${path} ${response.status}: ${ajv.errorsText()}\n${JSON.stringify(value)}`);
  }
  return { status: response.status, value };
}

const json = (body: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const ndjson = (rows: readonly unknown[]) => ({
  headers: { 'content-type': 'application/x-ndjson' },
  body: linesOf(rows),
});

describe('the document', () => {
  it('is valid OpenAPI 3.1 with valid JSON Schemas', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = Object.keys(document.components.schemas);
    expect(names.length).toBeGreaterThan(8);
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const name of names) {
      expect(() => ajv.compile({ $ref: `document#/components/schemas/${name}` }), name).not.toThrow();
    }
  });

  it('has every route of the API and no others', () => {
    const app = createApi({ service: {} as never, config: readConfig({}), log, version: '1.2.3' });
    const isFileOfPage = ({ path }: { path: string }) => /^\/(docs\/|assets\/|favicon)/.test(path);
    const routes = routesOf(app)
      .filter((route) => !isFileOfPage(route))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/[:*]([a-z]+)/g, '{$1}')}`);
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    // Two routes answer `/`: one for clients, one for browsers.
    expect(documented.toSorted()).toEqual([...new Set(routes)].toSorted());
  });

  it('permits null for every optional field of a request', () => {
    const bodies = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ requestBody }) => requestBody?.content['application/json']?.schema ?? []);
    expect(bodies.length).toBeGreaterThan(10);
    const optional = (bodies as { $ref: string }[]).flatMap(({ $ref }) => {
      const name = $ref.split('/').at(-1)!;
      const { properties, required = [] } = document.components.schemas[name]!;
      return Object.keys(properties ?? {})
        .filter((field) => !required.includes(field))
        .map((field) => pointer('components', 'schemas', name, 'properties', field));
    });
    expect(optional.length).toBeGreaterThan(40);
    for (const field of optional)
      expect(ajv.validate({ $ref: `document#/${field}` }, null), field).toBe(true);
  });

  it('requires a key only where the producer does', async () => {
    const config = readConfig({ EMBEDMILL_API_KEYS: 'ops:admin:a-key-that-nobody-uses' });
    const keys = KeyRing.open({ config, log });
    const pathsOf = async (access: Access) => {
      const { url } = await startApi({ access });
      return ((await (await fetch(`${url}/openapi.json`)).json()) as Document).paths;
    };
    expect((await pathsOf({}))['/v1/runs']?.post?.security).toBeUndefined();
    const locked = await pathsOf({ keys });
    expect(locked['/v1/runs']?.post?.security).toContainEqual({ bearer: [] });
    expect(locked['/healthz']?.get?.security).toBeUndefined();
  });
});

describe('the documented responses', () => {
  it('are those of a run from creation to deletion', async () => {
    await until(async () => (await fetch(`${lane.producer.url}/readyz`)).ok);
    const request = json({ name: 'documented', batchRows: 20 });
    const named = { ...request, headers: { ...request.headers, 'idempotency-key': 'documented' } };
    const created = await ask('post', '/v1/runs', named);
    expect(created.status).toBe(201);
    expect((await ask('post', '/v1/runs', named)).status).toBe(200);
    const { id } = created.value as { id: string };
    const rows = [...makeRows(40), { id: 'none', text: '' }, { id: 'bad' }];
    const sent = { id, query: '?part=0', ...ndjson(rows) };
    expect((await ask('post', '/v1/runs/{id}/rows', sent)).status).toBe(201);
    expect((await ask('post', '/v1/runs/{id}/rows', sent)).status).toBe(200);
    await ask('get', '/v1/runs/{id}/parts', { id });
    expect((await ask('get', '/v1/runs/{id}/results', { id })).status).toBe(409);
    await ask('post', '/v1/runs/{id}/seal', { id });
    await ask('get', '/v1/runs/{id}/events', { id });
    const { value } = await ask('get', '/v1/runs/{id}', { id });
    expect(value).toMatchObject({ state: 'completed', rows: { accepted: 41, rejected: 1 } });
    for (const format of ['jsonl', 'npy', 'parquet']) {
      const query = `?format=${format}`;
      expect((await ask('get', '/v1/runs/{id}/results', { id, query })).status).toBe(200);
    }
    const part = { id, query: '?format=npy', headers: { range: 'bytes=0-99' } };
    expect((await ask('get', '/v1/runs/{id}/results', part)).status).toBe(206);
    await ask('get', '/v1/runs/{id}/ids', { id });
    await ask('get', '/v1/runs/{id}/statistics', { id });
    await ask('post', '/v1/runs/{id}/search', { id, ...json({ text: 'opinion' }) });
    await ask('get', '/v1/runs/{id}/texts', { id, query: '?rows=0,1' });
    await ask('get', '/v1/runs/{id}/columns', { id });
    const column = await ask('get', '/v1/runs/{id}/columns/{name}', { id, name: 'verdict' });
    expect(column.value).toMatchObject({ kind: 'category', codes: Array(41).fill(0).fill(2, 40) });
    await ask('get', '/v1/runs/{id}/columns/{name}', { id, name: 'verdict' });
    await ask('get', '/v1/runs/{id}/analysis', { id });
    await ask('get', '/v1/runs/{id}/topics', { id });
    await ask('post', '/v1/runs/{id}/analysis', { id, ...json({}) });
    await expect
      .poll(async () => (await ask('get', '/v1/runs/{id}/analysis', { id })).value)
      .toMatchObject({ state: 'ready' });
    for (const path of ['topics', 'topics/rows', 'map', 'duplicates']) {
      expect((await ask('get', `/v1/runs/{id}/${path}`, { id })).status).toBe(200);
    }
    for (const format of ['csv', 'parquet', 'xlsx']) {
      const table = { id, query: `?format=${format}` };
      expect((await ask('get', '/v1/runs/{id}/topics/table', table)).status).toBe(200);
      expect((await ask('post', '/v1/runs/{id}/table', { id, ...json({ format, rows: [1] }) })).status).toBe(
        200,
      );
    }
    const renamed = await ask('patch', '/v1/runs/{id}/topics/{topic}', {
      id,
      name: '0',
      ...json({ name: 'One' }),
    });
    expect(renamed.value).toMatchObject({ name: 'One', isRenamed: true });
    await ask('get', '/v1/runs/{id}/report', { id, query: '?include=truncated' });
    await ask('get', '/v1/runs', { query: '?limit=1&state=completed' });
    expect((await ask('post', '/v1/runs/{id}/retry', { id })).status).toBeLessThan(500);
    await ask('post', '/v1/runs/{id}/cancel', { id });
    expect((await ask('delete', '/v1/runs/{id}', { id })).status).toBe(204);
  });

  it('are those of an interactive request', async () => {
    for (const name of ['in.csv', 'in.jsonl', 'in.txt']) {
      const body = 'sku,body\n1,Soft towel.\n';
      expect((await ask('post', '/v1/inspect', { query: `?name=${name}&complete=true`, body })).status).toBe(
        200,
      );
    }
    const asked = await ask('post', '/v1/embed', json({ texts: ['a quiet morning', ''] }));
    expect(asked.status).toBe(200);
    expect((await ask('post', '/v1/embed', json({ text: 'x', encoding: 'base64' }))).status).toBe(200);
    const chunked = { text: '<b>x</b>', clean: ['html'], long: 'mean', chunkSpans: true };
    expect((await ask('post', '/v1/embed', json(chunked))).status).toBe(200);
    expect((await ask('post', '/v1/embed', json({ text: 'x', model: 'another' }))).status).toBe(422);
  });

  it.each([
    ['post', '/v1/runs', { headers: { 'content-type': 'application/json' }, body: '{' }, 400],
    ['post', '/v1/runs', json({ precision: 'int4' }), 422],
    ['post', '/v1/runs', { headers: { 'content-type': 'text/plain' }, body: 'x' }, 415],
    ['get', '/v1/runs', { query: '?limit=0' }, 400],
    ['get', '/v1/runs/{id}', { id: 'r0' }, 404],
    ['delete', '/v1/runs/{id}', { id: 'r0' }, 404],
    ['post', '/v1/runs/{id}/seal', { id: 'r0' }, 404],
    ['post', '/v1/runs/{id}/rows', { id: 'r0', query: '?part=x', ...ndjson([]) }, 400],
    ['get', '/v1/runs/{id}/report', { id: 'r0', query: '?include=all' }, 400],
    ['get', '/v1/runs/{id}', { id: '%ff' }, 400],
    ['post', '/v1/embed', json({}), 422],
    ['post', '/v1/embed', { ...json({ text: 'x' }), headers: { 'request-timeout-ms': 'soon' } }, 400],
  ] as const)('is what a mistake gets: %s %s %j → %i', async (method, path, init, status) => {
    expect((await ask(method, path, init)).status).toBe(status);
  });

  it('are those of the monitoring routes', async () => {
    const alert = { status: 'firing', labels: { alertname: 'A' }, startsAt: '2026-11-28T12:00:00Z' };
    expect((await ask('post', '/v1/alerts', json({ alerts: [alert] }))).status).toBe(204);
    for (const path of [
      '/v1/alerts',
      '/v1/health',
      '/v1/scale',
      '/v1/overview',
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/docs',
    ]) {
      expect((await ask('get', path)).status).toBe(200);
    }
  });
});

describe('the documented responses of the compatible APIs', () => {
  it.each([
    ['post', '/v1/embeddings', json({ model: 'all-MiniLM-L6-v2', input: 'a quiet morning' }), 200],
    ['post', '/v1/embeddings', json({ model: 'all-MiniLM-L6-v2' }), 400],
    ['get', '/v1/models', {}, 200],
    ['get', '/v1/models/{name}', { id: 'sentence-transformers/all-MiniLM-L6-v2' }, 200],
    ['get', '/v1/models/{name}', { id: 'another' }, 404],
    ['get', '/v1/files', { query: '?limit=5' }, 200],
    ['get', '/v1/files/{id}', { id: 'file-none' }, 404],
    ['get', '/v1/batches', {}, 200],
    ['post', '/v1/batches', json({}), 400],
    ['post', '/api/embed', json({ model: 'all-minilm', input: ['a quiet morning'] }), 200],
    ['post', '/api/embed', json({ model: 'another', input: 'x' }), 404],
    ['get', '/api/tags', {}, 200],
    ['post', '/api/show', json({ model: 'all-minilm' }), 200],
    ['get', '/', {}, 200],
    ['post', '/embed', json({ inputs: 'a quiet morning' }), 200],
    ['post', '/embed', json({ inputs: 5 }), 422],
    ['post', '/similarity', json({ inputs: { source_sentence: 'a', sentences: ['b'] } }), 200],
    ['post', '/tokenize', json({ inputs: 'a quiet morning' }), 200],
    ['get', '/info', {}, 200],
    ['get', '/health', {}, 200],
  ] as const)('is what they get: %s %s %j → %i', async (method, path, init, status) => {
    expect((await ask(method, path, init)).status).toBe(status);
  });
});

describe('endless event streams', () => {
  it('have the documented media type', async () => {
    const leaving = new AbortController();
    const response = await fetch(`${lane.producer.url}/v1/events`, { signal: leaving.signal });
    const type = response.headers.get('content-type');
    leaving.abort();
    expect(Object.keys(document.paths['/v1/events']?.get?.responses['200']?.content ?? {})).toEqual([type]);
  });
});

describe('the page', () => {
  it('loads all its resources from the producer', async () => {
    const page = await fetch(`${lane.producer.url}/docs`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//);
      const response = await fetch(`${lane.producer.url}${file}`);
      expect([file, response.status]).toEqual([file, 200]);
      expect(response.headers.get('content-type')).toMatch(file.endsWith('.css') ? /css/ : /javascript/);
    }
    expect(html).not.toMatch(/<script>|<style|onload=/);
    expect((await fetch(`${lane.producer.url}/docs/package.json`)).status).toBe(404);
  });
});
