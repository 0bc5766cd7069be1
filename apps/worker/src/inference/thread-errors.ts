/** Sends errors of threads to the main thread as data, and rebuilds them there. */

import { CorruptError, EmbedmillError, type SerializedError } from '@embedmill/contract';

/**
 * Returns an error as data: its `toJSON` form if it has one (`EmbedmillError` and `EmbedError` do), else name
 * and message.
 */
export function serializeError(thrown: unknown): SerializedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const data = (error as { toJSON?: () => Partial<SerializedError> }).toJSON?.();
  return {
    name: data?.name ?? error.name,
    code: data?.code ?? 'inference-failed',
    message: data?.message ?? error.message,
    retryable: data?.retryable ?? false,
    ...(data?.facts === undefined ? {} : { facts: data.facts }),
  };
}

/** Returns an `EmbedmillError` with the name, code and message of an error that a thread sent. */
export function reviveError({ name, code, message, retryable, facts }: SerializedError): EmbedmillError {
  const details = { retryable, ...(facts === undefined ? {} : { facts }) };
  if (name === 'CorruptError') return new CorruptError(code, message, details);
  const error = new EmbedmillError(code, message, details);
  error.name = name;
  return error;
}
