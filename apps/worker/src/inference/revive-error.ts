/** Rebuilds errors that inference threads sent as data; used by `thread-handle.ts`. */

import { CorruptError, EmbedmillError, type SerializedError } from '@embedmill/contract';

/** Returns an `EmbedmillError` with the name, code and message of an error that a thread sent. */
export function reviveError({ name, code, message, retryable, facts }: SerializedError): EmbedmillError {
  const details = { retryable, ...(facts === undefined ? {} : { facts }) };
  if (name === 'CorruptError') return new CorruptError(code, message, details);
  const error = new EmbedmillError(code, message, details);
  error.name = name;
  return error;
}
