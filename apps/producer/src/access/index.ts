/** Access control: API keys, roles, rate limit and CORS, as the first steps of every request. */

import type { Config } from '@embedmill/core/process';
import type { RequestHandler } from 'express';
import { allowOrigins } from './cors.ts';
import { authenticate, authorize } from './guard.ts';
import type { KeyRing } from './key-ring.ts';
import { limitRate, type RateLimiter } from './rate-limit.ts';

export { guardBrowsers } from './browser-guard.ts';
export { callerOf, requireRole } from './guard.ts';
export { KeyRing, type KeyRingDeps } from './key-ring.ts';
export { openRateLimiter, type RateLimiter } from './rate-limit.ts';
export { type AccessRule, type Need, needOf, RULES, ruleFor } from './rules.ts';

/** Opened by the producer; an omitted part is disabled. */
export interface Access {
  keys?: KeyRing | undefined;
  limiter?: RateLimiter | undefined;
}

/** The steps, in order: preflights have no key, and attempts to guess keys count towards the rate limit. */
export function checkAccess({ keys, limiter }: Access, config: Config): RequestHandler[] {
  const steps: RequestHandler[] = [];
  if (config.corsOrigins !== undefined) steps.push(allowOrigins(config.corsOrigins));
  if (keys !== undefined) steps.push(authenticate(keys));
  if (limiter !== undefined) steps.push(limitRate(limiter));
  if (keys !== undefined) steps.push(authorize(keys, config));
  return steps;
}
