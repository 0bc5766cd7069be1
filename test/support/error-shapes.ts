/** The error shapes of the APIs, as a client would check them: by the path of the request alone. */

import { statusOf } from '../../apps/producer/src/http/problems.ts';

/** A response as it was received. */
export interface RawResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

type Shape = 'openai' | 'ollama' | 'tei' | 'native';

/** The API that a path belongs to. */
export function apiOf(target: string): Shape {
  const path = target.replace(/\?.*$/s, '');
  if (/^(\/v1\/(embeddings|models|files|batches)|\/(embeddings|models))(\/|$)/i.test(path)) return 'openai';
  if (/^\/api\//i.test(path)) return 'ollama';
  return /^\/(embed|invocations|info|health|similarity|tokenize)?\/?$/i.test(path) ? 'tei' : 'native';
}

/** What is wrong with an error response; `null` if it has the shape of its API. */
export function shapeFault(target: string, { status, headers, body }: RawResponse): string | null {
  const text = body.toString();
  if (/\n\s+at \S+ \(|node_modules|\/dist\//.test(text)) return `it has a stack trace: ${text.slice(0, 300)}`;
  const type = headers['content-type'] ?? '';
  const api = apiOf(target);
  // Text Embeddings Inference reports unreadable bodies in plain text.
  if (api === 'tei' && type.startsWith('text/plain')) return text === '' ? 'its text is empty' : null;
  if (type !== (api === 'native' ? 'application/problem+json' : 'application/json'))
    return `its type is ${type}`;
  const value = parse(text);
  if (value === null) return `it is not a JSON object: ${text.slice(0, 200)}`;
  return FAULTS[api](value, status);
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTextOrNull = (value: unknown) => value === null || isText(value);

const FAULTS: Readonly<Record<Shape, (value: Record<string, unknown>, status: number) => string | null>> = {
  openai: ({ error, ...others }) => {
    const { message, type, param, code, ...more } = (error ?? {}) as Record<string, unknown>;
    const isSound = isText(message) && isText(type) && isTextOrNull(param) && isTextOrNull(code);
    const hasMore = Object.keys(others).length + Object.keys(more).length > 0;
    return isSound && !hasMore ? null : `not an OpenAI error: ${JSON.stringify(error)}`;
  },
  ollama: (value) =>
    isText(value.error) && Object.keys(value).length === 1
      ? null
      : `not an Ollama error: ${JSON.stringify(value)}`,
  tei: ({ error, error_type }) =>
    isText(error) && isText(error_type)
      ? null
      : `not an error of TEI: ${JSON.stringify({ error, error_type })}`,
  native: (value, status) => {
    const { code, detail, title, type, instance } = value;
    const isSound = [code, detail, title, type, instance].every(isText) && value.status === status;
    return isSound && statusOf(String(code)) === status
      ? null
      : `not a problem: ${JSON.stringify(value).slice(0, 300)}`;
  },
};

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
