/** Tells a client how long to wait before it repeats what could not be done now. */

import type { EmbedmillError } from '@embedmill/contract';
import type { Response } from 'express';

/** When the error does not know better. */
const USUAL_SECONDS = 2;

/**
 * Sets `Retry-After` in whole seconds, and `retry-after-ms`, which is finer, for the clients that read it: the official
 * ones of OpenAI do. An error says how long in its facts `retryAfterMs` or `retryAfterSeconds`.
 */
export function askForPatience(res: Response, { facts }: Pick<EmbedmillError, 'facts'>): void {
  const seconds = Number(facts?.retryAfterSeconds ?? USUAL_SECONDS);
  res.setHeader('Retry-After', Math.max(1, Math.ceil(seconds)));
  res.setHeader('retry-after-ms', Math.ceil(Number(facts?.retryAfterMs ?? seconds * 1000)));
}
