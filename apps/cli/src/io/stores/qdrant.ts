/** Writes vectors to Qdrant through its REST API (https://api.qdrant.tech: collections and points). */

import { createHash } from 'node:crypto';
import { EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { StoreRequest, VectorStore } from './types.ts';

/** UUID namespace of our point ids, generated once at random. */
const NAMESPACE = Buffer.from('6ff2a54e1d0b4c3f9a8e2f0d7c51b6a3', 'hex');

/** The used part of `GET /collections/{name}`; a collection with several named vectors has no `size` here. */
interface CollectionResponse {
  result?: { config?: { params?: { vectors?: { size?: number } } } };
}

/**
 * Opens the collection, or creates it for cosine similarity.
 * @throws {EmbedmillError} `store-refused` for another dimension
 */
export async function openQdrant(
  { url, table, dim, signal }: StoreRequest,
  apiKey: string | undefined,
): Promise<VectorStore> {
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}/collections/${encodeURIComponent(table)}`;
  const call = (method: string, path: string, body?: unknown) =>
    request(`${base}${path}`, method, { body, apiKey, signal });
  const existing = await call('GET', '');
  if (existing.status === 404) {
    await call('PUT', '', { vectors: { size: dim, distance: 'Cosine' } }).then(assertOk);
  } else {
    await assertOk(existing);
    const { result } = (await existing.json()) as CollectionResponse;
    const size = result?.config?.params?.vectors?.size;
    if (size !== dim) {
      throw new EmbedmillError(
        'store-refused',
        `the collection ${quote(table)} takes vectors of ${quote(size)} floats; the file has ${dim}`,
      );
    }
  }
  return {
    name: `Qdrant collection ${quote(table)} at ${url.host}`,
    async upsert({ ids, vectors }) {
      const points = ids.map((id, n) => ({ id: pointId(id), vector: [...vectors[n]!], payload: { id } }));
      await call('PUT', '/points?wait=true', { points }).then(assertOk);
    },
    finish: async () => {},
    close: async () => {},
  };
}

/** The version 5 UUID (RFC 9562) of an id, because Qdrant takes UUIDs and whole numbers only. */
export function pointId(id: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function request(
  url: string,
  method: string,
  { body, apiKey, signal }: { body: unknown; apiKey: string | undefined; signal: AbortSignal },
): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      signal,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(apiKey === undefined ? {} : { 'api-key': apiKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new UnavailableError('store-unavailable', `no response from ${url}`, { cause });
  }
}

/** Throws for an error status; 429 and 5xx are temporary. */
async function assertOk(response: Response): Promise<void> {
  if (response.ok) return;
  const message = `Qdrant responded with ${response.status}: ${quote(await response.text(), 300)}`;
  if (response.status === 429 || response.status >= 500)
    throw new UnavailableError('store-unavailable', message);
  throw new EmbedmillError('store-refused', message);
}
