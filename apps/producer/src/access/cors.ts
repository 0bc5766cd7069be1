/** Allows pages of the configured origins to call the API (CORS). */

import cors from 'cors';
import type { RequestHandler } from 'express';

/** Response headers that such a page may read in addition to the default ones. */
const EXPOSED = [
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
];

/** How long browsers cache preflight responses; Chromium allows at most two hours. */
const MAX_AGE_SECONDS = 3600;

/** Whether an origin is listed, by itself, by its scheme (`app://*`) or by `*`. */
export function isListedOrigin(origin: string, listed: readonly string[]): boolean {
  return listed.some(
    (one) => one === '*' || one === origin || (one.endsWith('://*') && origin.startsWith(one.slice(0, -1))),
  );
}

/** Answers preflight requests. Pages set the key header themselves, so no credentials are allowed. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: origins.includes('*')
      ? '*'
      : (origin, decide) => decide(null, origin !== undefined && isListedOrigin(origin, origins)),
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: MAX_AGE_SECONDS,
  });
}
