/** Lets pages of other origins call the API, those that the settings name. */

import cors from 'cors';
import type { RequestHandler } from 'express';

/** Headers of answers that such a page may read besides the usual ones. */
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

/** Preflights are kept for an hour; two hours is what Chromium allows. */
const MAX_AGE_SECONDS = 3600;

/** Answers preflights. Keys come in headers that the page sets itself, so no credentials are allowed. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: MAX_AGE_SECONDS,
  });
}
