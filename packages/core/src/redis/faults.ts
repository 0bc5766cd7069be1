/** Distinguishes faults of Redis (unreachable, full, read-only) from other errors. */

import { UnavailableError } from '@embedmill/contract';

const REPLY_FAULTS = /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;
const CONNECTION_FAULTS =
  /Connection is closed|Stream isn't writeable|Command timed out|max retries per request|Socket closed|Socket timeout|connect ETIMEDOUT|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN/;

/** True when Redis is the cause, so that the same command may succeed later. */
export function isRedisFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    REPLY_FAULTS.test(error.message) || CONNECTION_FAULTS.test(error.message) || isRedisFault(error.cause)
  );
}

/**
 * Turns a Redis fault into an `UnavailableError` with code `redis-unavailable`; returns other errors as they
 * are.
 */
export function asUnavailable(error: unknown): unknown {
  return isRedisFault(error)
    ? new UnavailableError('redis-unavailable', 'Redis is unreachable or out of memory', { cause: error })
    : error;
}
