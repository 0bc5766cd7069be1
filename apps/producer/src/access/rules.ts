/** The role that each route requires: one table for the guard, the OpenAPI document and docs/api.md. */

import type { Role } from '@embedmill/core/process';

/** A role, or `open` for routes that need no key. */
export type Need = Role | 'open';

/** A route in the syntax of Express; a final `/*` matches the path and everything below it. */
export type AccessRule = readonly [
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'any',
  path: string,
  need: Need,
];

/** The first matching rule applies. HEAD is treated as GET. */
export const RULES: readonly AccessRule[] = [
  ['GET', '/healthz', 'open'],
  ['GET', '/readyz', 'open'],
  ['GET', '/health', 'open'],
  // `EMBEDMILL_METRICS_ACCESS` may require a key.
  ['GET', '/metrics', 'open'],
  // Pages contain no data; they request it with a key.
  ['GET', '/', 'open'],
  ['GET', '/assets/*', 'open'],
  ['GET', '/favicon.svg', 'open'],
  ['GET', '/docs/*', 'open'],
  ['GET', '/openapi.json', 'open'],
  // Native API.
  ['POST', '/v1/runs', 'submit'],
  ['POST', '/v1/runs/import', 'submit'],
  ['GET', '/v1/runs/*', 'read'],
  ['POST', '/v1/runs/:id/search', 'read'],
  // What readers see of a run; the route refuses to replace an analysis.
  ['POST', '/v1/runs/:id/analysis', 'read'],
  ['POST', '/v1/runs/:id/table', 'read'],
  ['PATCH', '/v1/runs/:id/topics/:topic', 'submit'],
  ['POST', '/v1/runs/:id/rows', 'submit'],
  ['DELETE', '/v1/runs/:id/parts/:part', 'submit'],
  ['POST', '/v1/runs/:id/seal', 'submit'],
  ['POST', '/v1/runs/:id/retry', 'submit'],
  ['POST', '/v1/runs/:id/cancel', 'submit'],
  ['DELETE', '/v1/runs/:id', 'submit'],
  ['GET', '/v1/run-models', 'read'],
  ['POST', '/v1/inspect', 'submit'],
  ['POST', '/v1/embed', 'submit'],
  ['GET', '/v1/health', 'read'],
  ['GET', '/v1/alerts', 'read'],
  ['POST', '/v1/alerts', 'submit'],
  ['GET', '/v1/scale', 'read'],
  ['GET', '/v1/overview', 'read'],
  ['GET', '/v1/events', 'read'],
  ['GET', '/hub/*', 'read'],
  // OpenAI API.
  ['POST', '/v1/embeddings', 'submit'],
  ['POST', '/embeddings', 'submit'],
  ['GET', '/v1/models/*', 'read'],
  ['GET', '/models/*', 'read'],
  ['GET', '/v1/files/*', 'read'],
  ['POST', '/v1/files', 'submit'],
  ['DELETE', '/v1/files/:id', 'submit'],
  ['GET', '/v1/batches/*', 'read'],
  ['POST', '/v1/batches', 'submit'],
  ['POST', '/v1/batches/:id/cancel', 'submit'],
  // Ollama API.
  ['POST', '/api/embed', 'submit'],
  ['POST', '/api/embeddings', 'submit'],
  ['GET', '/api/tags', 'read'],
  ['GET', '/api/ps', 'read'],
  ['POST', '/api/show', 'read'],
  ['POST', '/api/pull', 'read'],
  ['GET', '/api/version', 'open'],
  // Text Embeddings Inference.
  ['POST', '/embed', 'submit'],
  ['POST', '/', 'submit'],
  ['POST', '/invocations', 'submit'],
  ['POST', '/similarity', 'submit'],
  ['POST', '/tokenize', 'submit'],
  ['GET', '/info', 'read'],
  // bull-board; the board itself rejects changes by callers other than admins.
  ['GET', '/admin/queues/*', 'read'],
  ['any', '/admin/*', 'admin'],
];

/** What a request needs. Paths without a rule need `admin`, so that a forgotten rule opens nothing. */
export function needOf(method: string, path: string, rules: readonly AccessRule[] = RULES): Need {
  // Lists the methods of a path and has no effect.
  if (method === 'OPTIONS') return 'open';
  return ruleFor(method, path, rules)?.[2] ?? 'admin';
}

/** The rule for a request, or for a route in the syntax of Express; `undefined` if none matches. */
export function ruleFor(
  method: string,
  path: string,
  rules: readonly AccessRule[] = RULES,
): AccessRule | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return rules.find((rule) => (rule[0] === 'any' || rule[0] === wanted) && patternOf(rule[1]).test(path));
}

const PATTERNS = new Map<string, RegExp>();

/** Matches paths as Express does: case-insensitive, with an optional final slash. */
function patternOf(path: string): RegExp {
  const known = PATTERNS.get(path);
  if (known !== undefined) return known;
  const source = path
    .replace(/[.]/g, '\\.')
    .replace(/:[a-z]+/g, '[^/]+')
    .replace(/\/\*$/, '(?:/.*)?');
  const pattern = new RegExp(`^${source === '/' ? '' : source}/?$`, 'i');
  PATTERNS.set(path, pattern);
  return pattern;
}
