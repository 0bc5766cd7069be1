/**
 * HTTP client for the API; all pages use it. Paths are relative, so that a proxy may serve the producer at
 * any path.
 */

import { FetchError } from './errors.ts';
import { authorization } from './key.ts';
import type { ApiProblem } from './types.ts';

/** Method, body and abort signal of an API request. */
export interface ApiRequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Value for a JSON body. */
  json?: unknown;
  /** Raw body; needs `contentType`. */
  body?: Blob;
  contentType?: string;
  /** `Range` header, such as `bytes=0-99`. */
  range?: string;
  signal?: AbortSignal;
}

/**
 * Sends a request and returns the response with its body unread.
 * @param path relative to the producer, without a leading slash, such as `v1/runs`
 * @throws {FetchError} if there is no response or its status is not 2xx
 * @throws the reason of the signal if it is aborted
 */
export async function request(path: string, options: ApiRequestOptions = {}): Promise<Response> {
  const { method = 'GET', json, signal, range } = options;
  const contentType = json === undefined ? options.contentType : 'application/json';
  const body = json === undefined ? options.body : JSON.stringify(json);
  const response = await fetch(path, {
    method,
    headers: {
      ...authorization(),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(range === undefined ? {} : { range }),
    },
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error) => {
    signal?.throwIfAborted();
    throw new FetchError('unreachable', 0, `no response: ${error}`);
  });
  if (!response.ok) throw await errorFrom(response);
  return response;
}

/** Sends a request and returns the JSON of the response, unvalidated. Throws like `request`. */
export async function requestJson<Body>(path: string, options: ApiRequestOptions = {}): Promise<Body> {
  const response = await request(path, options);
  try {
    return (await response.json()) as Body;
  } catch {
    options.signal?.throwIfAborted();
    throw new FetchError('unreadable', response.status, `the response to ${path} is not JSON`);
  }
}

/** Downloads a file under the name in its `Content-Disposition` header. Throws like `request`. */
export async function download(path: string, options: ApiRequestOptions = {}): Promise<void> {
  const response = await request(path, options);
  const disposition = response.headers.get('content-disposition') ?? '';
  const name =
    /filename="([^"]+)"/.exec(disposition)?.[1] ?? path.replace(/\?.*$/, '').split('/').at(-1) ?? 'file';
  saveAs(await response.blob(), name);
}

/** Saves bytes as a file, through the download dialog of the browser. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Revoked late: the browser starts to read the blob only after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function errorFrom(response: Response): Promise<FetchError> {
  try {
    const { code, detail, title } = (await response.json()) as Partial<ApiProblem>;
    return new FetchError(code ?? 'unreadable', response.status, detail ?? title ?? response.statusText);
  } catch {
    return new FetchError(
      'unreadable',
      response.status,
      `the server responded with ${response.status} ${response.statusText}`,
    );
  }
}
