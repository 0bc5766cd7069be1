/** Downloads one file: resumed after interruptions, checked against its digest, then renamed to its name. */

import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asError } from '@embedmill/contract';
import { hasDigest } from './digest.ts';
import { HubError } from './hub-error.ts';
import type { HubOptions } from './options.ts';
import { networkError, requestHub, TIMEOUT_MS } from './request.ts';
import { withRetries } from './retry.ts';

/** What to download and where to. */
export interface FileDownload {
  /** `owner/name`. */
  repository: string;
  commit: string;
  /** Path in the repository. */
  path: string;
  bytes: number;
  digest: string;
  /** Path of the finished file; `TARGET.part` holds what has arrived, `TARGET.part.etag` its version. */
  target: string;
  /** Receives the bytes that the file has so far. */
  onBytes: (bytes: number) => void;
  signal: AbortSignal;
}

/** Downloads a file unless it is there. @throws {HubError} */
export async function downloadFile(hub: HubOptions, file: FileDownload): Promise<void> {
  const { target, digest, bytes, onBytes, signal, path } = file;
  if (await hasDigest(target, digest)) return onBytes(bytes);
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.part`;
  // Wrong bytes may come from an earlier attempt or a proxy, so they are fetched once more.
  for (const isLast of [false, true]) {
    let arrived = await sizeOf(part);
    await withRetries(
      hub,
      signal,
      async () => {
        await receive(hub, file, part, (size) => {
          arrived = size;
          onBytes(size);
        });
      },
      () => arrived,
    );
    if (await hasDigest(part, digest)) {
      await rename(part, target);
      await rm(`${part}.etag`, { force: true });
      return;
    }
    await discard(part);
    if (!isLast) continue;
  }
  throw new HubError(
    'hub-digest',
    `${path} of ${file.repository} arrived with other bytes than ${hub.endpoint} lists (${kindOf(digest)} ${digest}); ` +
      'nothing was kept. Check the mirror or proxy',
  );
}

/** Requests what is missing of a file and appends it. Returns when the file has all its bytes. */
async function receive(
  hub: HubOptions,
  { repository, commit, path, bytes, signal }: FileDownload,
  part: string,
  onSize: (size: number) => void,
): Promise<void> {
  let size = await sizeOf(part);
  if (size > bytes) {
    await discard(part);
    size = 0;
  }
  if (size === bytes && bytes > 0) return;
  const etag = await readFile(`${part}.etag`, 'utf8').catch(() => '');
  const url = `/${repository}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
  const response = await requestHub(hub, {
    path: url,
    model: repository,
    signal,
    headers: size === 0 ? {} : { range: `bytes=${size}-`, ...(etag !== '' && { 'if-range': etag }) },
  }).catch((error: unknown) => {
    // The hub was reached before, so a pause of the network is likely to end.
    if (!(error instanceof HubError) || error.code !== 'hub-unreachable') throw error;
    throw new HubError(error.code, error.message, { cause: error, retryable: true });
  });
  const isContinued = response.status === 206 && startOf(response) === size;
  if (response.status === 416 || (response.status === 206 && !isContinued)) {
    await response.body?.cancel().catch(() => {});
    await discard(part);
    throw new HubError('hub-broken', `the server does not continue ${path} at byte ${size}`, {
      retryable: true,
    });
  }
  const version = response.headers.get('etag');
  // A weak tag must not be used with If-Range.
  if (version !== null && !version.startsWith('W/')) await stored(writeFile(`${part}.etag`, version));
  const output = await stored(open(part, isContinued ? 'a' : 'w'));
  try {
    if (!isContinued) size = 0;
    for await (const chunk of chunksOf(response, hub, signal)) {
      if (size + chunk.byteLength > bytes) {
        throw new HubError(
          'hub-broken',
          `${path} is longer than the ${bytes} bytes that ${hub.endpoint} lists`,
        );
      }
      await stored(output.write(chunk));
      size += chunk.byteLength;
      onSize(size);
    }
    await stored(output.sync());
  } finally {
    await output.close();
  }
  if (size === bytes) return;
  throw new HubError('hub-unreachable', `the connection ended at ${size} of ${bytes} bytes of ${path}`, {
    retryable: true,
  });
}

/** The chunks of a body; a server that stops sending causes an error. */
async function* chunksOf(
  response: Response,
  { timeoutMs = TIMEOUT_MS, endpoint }: HubOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isLate = false;
  try {
    while (true) {
      const timer = setTimeout(() => {
        isLate = true;
        reader.cancel().catch(() => {});
      }, timeoutMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (isLate) {
        throw new HubError('hub-unreachable', `${endpoint} stopped sending for ${timeoutMs} ms`, {
          retryable: true,
        });
      }
      if (done) return;
      yield value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof HubError
      ? error
      : new HubError('hub-unreachable', networkError(error, new URL(endpoint).origin, null).message, {
          cause: error,
          retryable: true,
        });
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** First byte of a partial response; -1 if it is not stated. */
function startOf(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? -1);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.etag`, { force: true });
}

const kindOf = (digest: string) => (digest.length === 64 ? 'SHA-256' : 'git SHA-1');

/** Awaits a write; a full disk becomes a message that says that the download continues later. */
export async function stored<Value>(writing: Promise<Value>): Promise<Value> {
  return await writing.catch((error: unknown) => {
    const { code, message } = asError(error) as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    throw new HubError(
      'disk-full',
      `the disk is full (${message}); free some space and run the same command again: what has arrived is kept`,
      { cause: error },
    );
  });
}
