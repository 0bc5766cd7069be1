/**
 * HTTP client for the API; all pages use it. Paths are relative, so that a proxy may serve the producer at
 * any path.
 */

import { ApiError } from './errors.ts';
import { authorization } from './key.ts';
import type { Problem } from './types.ts';

/** How to ask. */
export interface AskOptions {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, with `contentType`. */
  body?: Blob;
  contentType?: string;
  /** Asks for a part of a file: `bytes=0-99`. */
  range?: string;
  signal?: AbortSignal;
}

/**
 * The answer, whatever it holds.
 * @param path below the producer, without a leading slash: `v1/runs`
 * @throws {ApiError} when it was refused or not answered
 * @throws the signal's reason when it was aborted
 */
export async function request(path: string, options: AskOptions = {}): Promise<Response> {
  const { method = 'GET', json, signal, range } = options;
  const contentType = json === undefined ? options.contentType : 'application/json';
  const body = json === undefined ? options.body : JSON.stringify(json);
  const answer = await fetch(path, {
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
    throw new ApiError('unreachable', 0, `no response: ${error}`);
  });
  if (!answer.ok) throw await errorOf(answer);
  return answer;
}

/** The JSON of an answer. Throws as `request`. */
export async function ask<Answer>(path: string, options: AskOptions = {}): Promise<Answer> {
  const answer = await request(path, options);
  try {
    return (await answer.json()) as Answer;
  } catch {
    options.signal?.throwIfAborted();
    throw new ApiError('unreadable', answer.status, `the response to ${path} is not JSON`);
  }
}

/** Has the browser save a file of the API under the name that the answer gives it. Throws as `request`. */
export async function download(path: string): Promise<void> {
  const answer = await request(path);
  const disposition = answer.headers.get('content-disposition') ?? '';
  const name =
    /filename="([^"]+)"/.exec(disposition)?.[1] ?? path.replace(/\?.*$/, '').split('/').at(-1) ?? 'file';
  saveAs(await answer.blob(), name);
}

/** Has the browser save these bytes. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the bytes by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const { code, detail, title } = (await answer.json()) as Partial<Problem>;
    return new ApiError(code ?? 'unreadable', answer.status, detail ?? title ?? answer.statusText);
  } catch {
    return new ApiError(
      'unreadable',
      answer.status,
      `the server responded with ${answer.status} ${answer.statusText}`,
    );
  }
}
