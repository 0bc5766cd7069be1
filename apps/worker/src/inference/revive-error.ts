/** Errors of inference threads, on the main thread's side; used by `thread-handle.ts`. */

import { CorruptError, EmbedmillError, type SerializedError } from '@embedmill/contract';

/** An error that crossed over as data, as an error of our family again, with the name it had. */
export function reviveError({ name, code, message, retryable, facts }: SerializedError): EmbedmillError {
  const details = { retryable, ...(facts === undefined ? {} : { facts }) };
  if (name === 'CorruptError') return new CorruptError(code, message, details);
  const error = new EmbedmillError(code, message, details);
  error.name = name;
  return error;
}
