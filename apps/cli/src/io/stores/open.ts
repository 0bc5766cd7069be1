/**
 * Opens a store by its URL or LanceDB folder. Buckets are not stores: `commands/load/shards.ts` writes shards
 * to them.
 */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { isLancePath } from '../lance-folder.ts';
import { openLance } from './lance.ts';
import { connectPostgres, openPgvector } from './pgvector.ts';
import { openQdrant } from './qdrant.ts';
import type { StoreRequest, VectorStore } from './types.ts';

/**
 * The URL of a store; a LanceDB folder becomes a `file:` URL.
 * @throws {UsageError} unless it names a store
 */
export function readStoreUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url !== null && (isPostgres(url) || isQdrant(url))) return url;
  if (isLancePath(given)) {
    const path = resolve(given);
    if (existsSync(dirname(path))) return pathToFileURL(path);
    throw new UsageError(`there is no folder ${quote(dirname(path), 200)} for the LanceDB table`);
  }
  throw new UsageError(
    `--to ${quote(given, 200)} is not a store; expected postgres://user@host/database, qdrant+http://host:6333, ` +
      'qdrant+https://…, s3://bucket/folder or a LanceDB folder such as rows.lance',
  );
}

/**
 * Opens a store for vectors of one dimension.
 * @throws {UnavailableError} when the store does not respond
 * @throws {EmbedmillError} `store-refused` when it cannot hold such vectors
 */
export async function openStore(request: StoreRequest): Promise<VectorStore> {
  const { url } = request;
  if (url.protocol === 'file:') return openLance(request);
  if (isPostgres(url)) {
    const connection = await connectPostgres(url);
    try {
      return { ...(await openPgvector(connection, request)), close: () => connection.end() };
    } catch (error) {
      await connection.end();
      throw error;
    }
  }
  // The API key is in the password of the URL, and must not appear in requested addresses.
  const apiKey = url.password === '' ? undefined : decodeURIComponent(url.password);
  const address = new URL(`${url.protocol.replace('qdrant+', '')}//${url.host}${url.pathname}`);
  return openQdrant({ ...request, url: address }, apiKey);
}

function isPostgres({ protocol }: URL): boolean {
  return protocol === 'postgres:' || protocol === 'postgresql:';
}

function isQdrant({ protocol }: URL): boolean {
  return protocol === 'qdrant+http:' || protocol === 'qdrant+https:';
}
