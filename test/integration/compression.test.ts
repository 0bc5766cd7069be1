/** Compressed responses: which ones, in which codings, and with which headers. */

import { once } from 'node:events';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeRows, startApi } from '../support/api.ts';
import { startHashWorker } from '../support/hash-worker.ts';
import { startLaneApi } from '../support/lane-api.ts';

interface RawResponse {
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** A response with its body as it was sent; `fetch` would decompress it. */
async function send(
  url: string,
  accept: string | null,
  body?: unknown,
  method?: string,
): Promise<RawResponse> {
  const headers = accept === null ? {} : { 'accept-encoding': accept };
  const sent = request(url, { method: method ?? (body === undefined ? 'GET' : 'POST'), headers });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}

const MANY = Array.from({ length: 100 }, (_, i) => `text ${i}`);
const DECODERS: Record<string, (bytes: Buffer) => Buffer> = { gzip: gunzipSync, br: brotliDecompressSync };

describe('a response', () => {
  it.each([
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['gzip;q=0.5, br;q=0.8', 'br'],
    ['gzip, deflate, br', 'gzip'],
  ])('is compressed for Accept-Encoding: %s', async (accept, coding) => {
    const { url } = await startLaneApi();
    const given = { model: 'all-minilm', input: MANY };
    const plain = await send(`${url}/v1/embeddings`, null, given);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.vary).toContain('Accept-Encoding');
    const { headers, body } = await send(`${url}/v1/embeddings`, accept, given);
    expect(headers).toMatchObject({ 'content-encoding': coding, 'content-type': 'application/json' });
    expect(headers['content-length']).toBe(String(body.byteLength));
    expect(body.byteLength).toBeLessThan(plain.body.byteLength / 1.5);
    expect(DECODERS[coding]!(body)).toEqual(plain.body);
  });

  it.each([[null], ['identity'], ['gzip;q=0'], ['compress'], ['']])(
    'is not compressed for Accept-Encoding: %s',
    async (accept) => {
      const { url } = await startLaneApi();
      const { headers, body } = await send(`${url}/openapi.json`, accept);
      expect(headers['content-encoding']).toBeUndefined();
      expect(JSON.parse(String(body)).openapi).toBe('3.1.0');
    },
  );

  it('is not compressed if it is small, and HEAD has the headers of GET', async () => {
    const { url } = await startLaneApi();
    const small = await send(`${url}/v1/embeddings`, 'gzip', { model: 'all-minilm', input: 'a' });
    expect(small.headers['content-encoding']).toBeUndefined();
    const get = await send(`${url}/openapi.json`, 'gzip');
    const head = await send(`${url}/openapi.json`, 'gzip', undefined, 'HEAD');
    expect(head.headers['content-encoding']).toBe('gzip');
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect(head.body.byteLength).toBe(0);
  });
});

describe('the vectors of a run', () => {
  it('are compressed as text while they are read, and not in binary formats', async () => {
    const api = await startApi();
    await startHashWorker(api.redis);
    const { id } = await api.create();
    await api.send(id, 0, makeRows(60));
    await api.call('POST', `/v1/runs/${id}/seal`);
    await api.completed(id);
    const results = `${api.url}/v1/runs/${id}/results`;
    const plain = await send(results, null);
    const packed = await send(results, 'gzip');
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' });
    expect(gunzipSync(packed.body)).toEqual(plain.body);
    expect(packed.headers.etag).toBe(`W/${plain.headers.etag}`);
    const binary = await send(`${results}?format=npy`, 'gzip');
    expect(binary.headers).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': String(binary.body.byteLength),
    });
    expect(binary.headers['content-encoding']).toBeUndefined();
  });

  it('follow in events, which are not compressed', async () => {
    const api = await startApi();
    const { id } = await api.create();
    const response = await fetch(`${api.url}/v1/runs/${id}/events`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(response.headers.get('content-encoding')).toBeNull();
    await response.body?.cancel();
  });
});
