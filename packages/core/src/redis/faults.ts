/** Tells an error of the infrastructure (Redis away, full, read-only) from an error of the work. */

const REPLY_FAULTS = /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;
const CONNECTION_FAULTS =
  /Connection is closed|Stream isn't writeable|Command timed out|max retries per request|Socket closed|Socket timeout|connect ETIMEDOUT|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN/;

/** True when Redis itself is the trouble, so that the same command may succeed later. */
export function isRedisFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    REPLY_FAULTS.test(error.message) || CONNECTION_FAULTS.test(error.message) || isRedisFault(error.cause)
  );
}
