/** How errors are told to the clients of each protocol: the path of a request says which one it speaks. */

import type { Response } from 'express';
import type { Problem } from './problem.ts';

/** Writes the body of an error; status and `Retry-After` are set by then. */
export type Dialect = (res: Response, problem: Problem) => void;

/** RFC 9457, for everything that is not somebody else's protocol. */
const native: Dialect = (res, problem) => send(res, 'application/problem+json', problem);

/** Types by status, as the OpenAI API names them. */
const OPENAI_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/** Codes that clients of the OpenAI API look for; the others are ours. */
const OPENAI_CODES: Readonly<Record<string, string>> = {
  unauthorized: 'invalid_api_key',
  'rate-limited': 'rate_limit_exceeded',
};

/** `{error: {message, type, param, code}}`; the official client reads `retry-after-ms` first. */
const openai: Dialect = (res, { status, detail, code }) => {
  const seconds = res.getHeader('Retry-After');
  if (status === 429 && seconds !== undefined) res.setHeader('retry-after-ms', Number(seconds) * 1000);
  const type = OPENAI_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  const error = { message: detail, type, param: null, code: OPENAI_CODES[code] ?? code.replaceAll('-', '_') };
  send(res, 'application/json', { error });
};

/** `{error: "…"}`. */
const ollama: Dialect = (res, { detail }) => send(res, 'application/json', { error: detail });

/** `{error, error_type}`; nothing at all for a missing or wrong key. */
const embeddingsInference: Dialect = (res, { status, detail }) => {
  if (status === 401) res.end();
  else send(res, 'application/json', { error: detail, error_type: errorTypeOf(status) });
};

/** The first that fits; the rest is native. */
const DIALECTS: readonly (readonly [paths: RegExp, dialect: Dialect])[] = [
  [/^\/v1\/(embeddings|models|files|batches)(\/|$)/i, openai],
  [/^\/api\//i, ollama],
  [/^\/(embed|info|health|similarity|tokenize)\/?$/i, embeddingsInference],
];

/** The dialect of a path. */
export function dialectOf(path: string): Dialect {
  return DIALECTS.find(([paths]) => paths.test(path))?.[1] ?? native;
}

/** The kinds of errors of that protocol. */
function errorTypeOf(status: number): string {
  if (status === 429) return 'Overloaded';
  return status < 500 ? 'Validation' : 'Backend';
}

function send(res: Response, contentType: string, body: unknown): void {
  res.setHeader('Content-Type', contentType);
  res.send(Buffer.from(JSON.stringify(body)));
}
