/** Opens the store that a URL or the folder of a LanceDB table names; buckets take shards instead, see shards.ts. */

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { quote } from '@embedmill/contract';
import { isLancePath } from '../../io/lance/folder.ts';
import { openLance } from '../../io/lance/load.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { connectPostgres, openPgvector } from './pgvector.ts';
import { openQdrant } from './qdrant.ts';
import type { StoreRequest, VectorStore } from './types.ts';

/** Reads `--to`, unless it is a bucket; a folder becomes a file: URL. @throws {UsageError} when no store has such a name */
export function readStoreUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url !== null && (isPostgres(url) || isQdrant(url))) return url;
  if (isLancePath(given)) {
    const path = resolve(given);
    if (existsSync(dirname(path))) return pathToFileURL(path);
    throw new UsageError(`there is no folder ${quote(dirname(path), 200)} for the table of LanceDB`);
  }
  throw new UsageError(
    `--to ${quote(given, 200)} is no store; expected postgres://user@host/database, qdrant+http://host:6333, qdrant+https://…, ` +
      's3://bucket/folder or a folder of LanceDB such as rows.lance',
  );
}

/** @throws {UnavailableError} when nobody answers; {EmbedmillError} `store-refused` when the store cannot take such vectors */
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
  // The key stands where a URL has its password; it does not belong into the address that is called.
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
