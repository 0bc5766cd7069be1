/** Errors in the shape of the OpenAI API: `{"error": {message, type, param, code}}`. */

import { type EmbedmillError, RequestError } from '@embedmill/contract';
import type { Response } from 'express';
import type { TextFault } from '../compatible/outcomes.ts';
import { statusOf } from '../http/problems.ts';
import { askForPatience } from '../http/retry-after.ts';
import { sendJson } from '../http/send.ts';

/** The body of an error. */
export interface OpenAiErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** What an error says besides its message. */
export interface OpenAiErrorDetails {
  /** Default 400. */
  status?: number;
  /** Default by status. */
  type?: string;
  /** The parameter at fault. */
  param?: string;
  code?: string;
}

/** A request that the OpenAI API would refuse too, in its words. */
export class OpenAiError extends RequestError {
  readonly details: OpenAiErrorDetails;

  constructor(message: string, details: OpenAiErrorDetails = {}) {
    super('invalid-body', message);
    this.details = details;
  }
}

const REFERENCE = 'Please check the API reference: https://platform.openai.com/docs/api-reference.';

/** For an `input` of a wrong shape, and for one with nothing in it. */
export function invalidInput(why?: string): OpenAiError {
  return new OpenAiError(`'$.input' is invalid${why === undefined ? '' : `: ${why}`}. ${REFERENCE}`);
}

/** For a text that got no vector, or none of its whole length. */
export function errorOfText(fault: TextFault): OpenAiError {
  switch (fault.kind) {
    case 'empty':
      return invalidInput();
    case 'too-long':
      return new OpenAiError(
        `This model's maximum context length is ${fault.maxTokens} tokens, however you requested ${fault.tokens} tokens ` +
          `(${fault.tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
      );
    case 'bad-tokens':
      return invalidInput(fault.message);
    case 'failed':
      return new OpenAiError(`a text could not be embedded: ${fault.message}`, { status: 500 });
  }
}

/** Where the words of that API differ from ours. */
const WORDS: Readonly<Record<string, OpenAiErrorDetails & { message?: string }>> = {
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

/** An error as status and body. */
export function openAiErrorOf(error: EmbedmillError): { status: number; body: OpenAiErrorBody } {
  const own = error instanceof OpenAiError;
  const words = own ? error.details : (WORDS[error.code] ?? {});
  const status = words.status ?? (own ? 400 : statusOf(error.code));
  const message = own ? error.message : (WORDS[error.code]?.message ?? error.message);
  const code = words.code ?? null;
  return {
    status,
    body: { error: { message, type: words.type ?? typeOf(status), param: words.param ?? null, code } },
  };
}

/** Answers with an error. The official client waits as `retry-after-ms` says, and repeats no 5xx that would be the same again. */
export function sendOpenAiError(res: Response, error: EmbedmillError): void {
  const { status, body } = openAiErrorOf(error);
  if (error.retryable) askForPatience(res, error);
  else if (status >= 500) res.setHeader('x-should-retry', 'false');
  sendJson(res, status, body);
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}
