/** Who may do what: keys, roles, rate limit and foreign origins, as the first steps of every request. */

import type { Config } from '@embedmill/core/process';
import type { RequestHandler } from 'express';
import { allowOrigins } from './cors.ts';
import { allow, identify } from './guard.ts';
import type { KeyRing } from './key-ring.ts';
import { limitRate, type RateLimiter } from './rate-limit.ts';

export { callerOf } from './guard.ts';
export { KeyRing, type KeyRingDeps } from './key-ring.ts';
export { openRateLimiter, type RateLimiter } from './rate-limit.ts';
export { type Need, needOf, RULES, type Rule, ruleFor } from './rules.ts';

/** What a producer has opened for it; what is left out is off. */
export interface Access {
  keys?: KeyRing | undefined;
  limiter?: RateLimiter | undefined;
}

/** In this order: a browser's preflight has no key, and a guesser of keys is counted. */
export function checkAccess({ keys, limiter }: Access, config: Config): RequestHandler[] {
  const steps: RequestHandler[] = [];
  if (config.corsOrigins !== undefined) steps.push(allowOrigins(config.corsOrigins));
  if (keys !== undefined) steps.push(identify(keys));
  if (limiter !== undefined) steps.push(limitRate(limiter));
  if (keys !== undefined) steps.push(allow(config));
  return steps;
}
