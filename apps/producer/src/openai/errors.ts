/** Errors in the shape of the OpenAI API: `{"error": {message, type, param, code}}`. */

import { type EmbedmillError, RequestError } from '@embedmill/contract';
import type { Response } from 'express';
import type { TextFault } from '../compatible/outcomes.ts';
import { type ErrorDialect, setRetryAfter } from '../http/errors.ts';
import { statusOf } from '../http/problems.ts';
import { sendJson } from '../http/send.ts';

/** The body of an error. */
export interface OpenAiErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** Fields of an error besides its message. */
export interface OpenAiErrorDetails {
  /** Default: 400. */
  status?: number;
  /** Default: derived from the status. */
  type?: string;
  /** The parameter at fault. */
  param?: string;
  code?: string;
}

/** A request that the OpenAI API would reject too, with its wording. */
export class OpenAiError extends RequestError {
  readonly details: OpenAiErrorDetails;

  constructor(message: string, details: OpenAiErrorDetails = {}) {
    super('invalid-body', message);
    this.details = details;
  }
}

/** Requests that get errors in the shape of the OpenAI API. */
export const OPENAI_ERRORS: ErrorDialect = {
  paths: /^(\/v1\/(embeddings|models|files|batches)|\/(embeddings|models))(\/|$)/i,
  send: sendOpenAiError,
};

const REFERENCE = 'Please check the API reference: https://platform.openai.com/docs/api-reference.';

/** The error for an invalid or empty `input`. */
export function invalidInput(why?: string): OpenAiError {
  return new OpenAiError(`'$.input' is invalid${why === undefined ? '' : `: ${why}`}. ${REFERENCE}`);
}

/** The error for a text without a vector, or for an over-long text that must not be truncated. */
export function openAiTextError(fault: TextFault): OpenAiError {
  switch (fault.kind) {
    case 'too-long':
      return new OpenAiError(
        `This model's maximum context length is ${fault.maxTokens} tokens, however you requested ${fault.tokens} tokens ` +
          `(${fault.tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
      );
    case 'empty':
    case 'bad-tokens':
      return invalidInput(fault.message);
    case 'failed':
      return new OpenAiError(`a text could not be embedded: ${fault.message}`, { status: 500 });
  }
}

/** Wording and fields of the OpenAI API for our error codes, where they differ. */
const OVERRIDES: Readonly<Record<string, OpenAiErrorDetails & { message?: string }>> = {
  'malformed-json': {
    message: 'We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.',
  },
  'invalid-body': { status: 400 },
  unauthorized: { code: 'invalid_api_key' },
  forbidden: { code: 'forbidden' },
  'unknown-model': { status: 404, param: 'model', code: 'model_not_found' },
  'unknown-file': { param: 'id' },
  'unknown-batch': { param: 'batch_id' },
  overloaded: { code: 'rate_limit_exceeded' },
  'rate-limited': { code: 'rate_limit_exceeded' },
};

/** Status and body of an error. */
export function openAiErrorOf(error: EmbedmillError): { status: number; body: OpenAiErrorBody } {
  const isOpenAi = error instanceof OpenAiError;
  const overrides = isOpenAi ? error.details : (OVERRIDES[error.code] ?? {});
  const status = overrides.status ?? (isOpenAi ? 400 : statusOf(error.code));
  const message = isOpenAi ? error.message : (OVERRIDES[error.code]?.message ?? error.message);
  const code = overrides.code ?? null;
  return {
    status,
    body: {
      error: { message, type: overrides.type ?? typeOf(status), param: overrides.param ?? null, code },
    },
  };
}

/** Sends an error. `retry-after-ms` and `x-should-retry` keep the official clients from useless retries. */
function sendOpenAiError(res: Response, error: EmbedmillError): void {
  const { status, body } = openAiErrorOf(error);
  if (error.retryable) setRetryAfter(res, error);
  else if (status >= 500) res.setHeader('x-should-retry', 'false');
  sendJson(res, status, body);
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}
