/** Turns whatever was thrown into an error of our family with a code of the API; the error answer calls it. */

import { CorruptError, EmbedmillError, quote, RequestError, UnavailableError } from '@embedmill/contract';
import { isRedisFault } from '@embedmill/core/redis';
import { isProblemCode } from './problems.ts';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The error as the client may see it: what is not meant for it (paths, addresses, stacks) stays in the `cause`. */
export function asKnownError(thrown: unknown): EmbedmillError {
  if (thrown instanceof EmbedmillError && isProblemCode(thrown.code)) return thrown;
  if (thrown instanceof CorruptError)
    return new CorruptError('corrupt-files', 'the files of this run are damaged', { cause: thrown });
  if (thrown instanceof EmbedmillError && thrown.retryable)
    return new UnavailableError('unavailable', thrown.message, { cause: thrown });
  if (isRedisFault(thrown))
    return new UnavailableError('redis-unavailable', 'Redis does not answer or takes no more', {
      cause: thrown,
    });
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (DISK_FULL.has(code))
    return new UnavailableError('disk-full', 'the disk of the data folder is full', { cause: thrown });
  // Express could not decode a parameter of the path.
  if (thrown instanceof URIError)
    return new RequestError('bad-path', `the path is not percent-encoded UTF-8: ${quote(thrown.message)}`, {
      cause: thrown,
    });
  return new EmbedmillError('internal', 'this is a mistake in the producer', { cause: thrown });
}
