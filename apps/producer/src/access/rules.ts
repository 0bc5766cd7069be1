/** Which route needs which role: the one table that the guard, the OpenAPI document and docs/api.md follow. */

import type { Role } from '@embedmill/core/process';

/** Nobody must show a key for what is `open`. */
export type Need = Role | 'open';

/** A route, written as in Express; `/*` at the end stands for everything below, too. */
export type Rule = readonly [method: 'GET' | 'POST' | 'DELETE' | 'any', path: string, need: Need];

/** The first rule that fits decides. HEAD is as GET. */
export const RULES: readonly Rule[] = [
  ['GET', '/healthz', 'open'],
  ['GET', '/readyz', 'open'],
  ['GET', '/health', 'open'],
  // `EMBEDMILL_METRICS_ACCESS` may ask for a key.
  ['GET', '/metrics', 'open'],
  // Pages hold no data: what they show they ask for with a key.
  ['GET', '/', 'open'],
  ['GET', '/assets/*', 'open'],
  ['GET', '/favicon.svg', 'open'],
  ['GET', '/docs/*', 'open'],
  ['GET', '/openapi.json', 'open'],
  // Native.
  ['POST', '/v1/runs', 'submit'],
  ['GET', '/v1/runs/*', 'read'],
  ['POST', '/v1/runs/:id/search', 'read'],
  ['POST', '/v1/runs/:id/rows', 'submit'],
  ['POST', '/v1/runs/:id/seal', 'submit'],
  ['POST', '/v1/runs/:id/retry', 'submit'],
  ['POST', '/v1/runs/:id/cancel', 'submit'],
  ['DELETE', '/v1/runs/:id', 'submit'],
  ['POST', '/v1/embed', 'submit'],
  ['GET', '/v1/scale', 'read'],
  ['GET', '/v1/overview', 'read'],
  ['GET', '/v1/events', 'read'],
  // OpenAI.
  ['POST', '/v1/embeddings', 'submit'],
  ['GET', '/v1/models/*', 'read'],
  ['GET', '/v1/files/*', 'read'],
  ['POST', '/v1/files', 'submit'],
  ['DELETE', '/v1/files/:id', 'submit'],
  ['GET', '/v1/batches/*', 'read'],
  ['POST', '/v1/batches', 'submit'],
  ['POST', '/v1/batches/:id/cancel', 'submit'],
  // Ollama.
  ['POST', '/api/embed', 'submit'],
  ['POST', '/api/embeddings', 'submit'],
  ['GET', '/api/tags', 'read'],
  ['GET', '/api/ps', 'read'],
  ['POST', '/api/show', 'read'],
  ['GET', '/api/version', 'open'],
  // Text Embeddings Inference.
  ['POST', '/embed', 'submit'],
  ['POST', '/', 'submit'],
  ['POST', '/invocations', 'submit'],
  ['POST', '/similarity', 'submit'],
  ['POST', '/tokenize', 'submit'],
  ['GET', '/info', 'read'],
  // bull-board; what changes something is refused there to all but admins.
  ['GET', '/admin/queues/*', 'read'],
  ['any', '/admin/*', 'admin'],
];

/** What a request needs; for a path that no rule has, `admin`, so that nothing is open because it was forgotten. */
export function needOf(method: string, path: string, rules: readonly Rule[] = RULES): Need {
  // Says which methods a path takes and does nothing.
  if (method === 'OPTIONS') return 'open';
  return ruleFor(method, path, rules)?.[2] ?? 'admin';
}

/** The rule for a request, or for a route written as in Express. */
export function ruleFor(method: string, path: string, rules: readonly Rule[] = RULES): Rule | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return rules.find((rule) => (rule[0] === 'any' || rule[0] === wanted) && patternOf(rule[1]).test(path));
}

const patterns = new Map<string, RegExp>();

/** As Express reads paths: upper and lower case are the same, and so is a slash at the end. */
function patternOf(path: string): RegExp {
  const known = patterns.get(path);
  if (known !== undefined) return known;
  const source = path
    .replace(/[.]/g, '\\.')
    .replace(/:[a-z]+/g, '[^/]+')
    .replace(/\/\*$/, '(?:/.*)?');
  const pattern = new RegExp(`^${source === '/' ? '' : source}/?$`, 'i');
  patterns.set(path, pattern);
  return pattern;
}
