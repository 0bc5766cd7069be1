/** Errors in the shape of Text Embeddings Inference: `{"error", "error_type"}` or plain text. */

import { type EmbedmillError, RequestError } from '@embedmill/contract';
import type { Response } from 'express';
import type { TextFault } from '../compatible/outcomes.ts';
import { type ErrorDialect, setRetryAfter } from '../http/errors.ts';
import { statusOf } from '../http/problems.ts';
import { sendJson } from '../http/send.ts';

/** Error types, capitalized as the server sends them (its documentation shows lower case). */
export type TeiErrorType = 'Unhealthy' | 'Backend' | 'Overloaded' | 'Validation' | 'Tokenizer' | 'Empty';

const STATUS: Readonly<Record<TeiErrorType, number>> = {
  Empty: 400,
  Validation: 422,
  Tokenizer: 422,
  Backend: 424,
  Overloaded: 429,
  Unhealthy: 503,
};

/** A request that Text Embeddings Inference would reject too, with its wording. */
export class TeiError extends RequestError {
  readonly type: TeiErrorType;

  constructor(type: TeiErrorType, message: string) {
    super('invalid-body', message);
    this.type = type;
  }
}

/** The error for a text without a vector, or for an over-long text that must not be truncated. */
export function teiTextError(fault: TextFault): TeiError {
  switch (fault.kind) {
    case 'empty':
      return new TeiError('Empty', `Input validation error: ${fault.message ?? '`inputs` cannot be empty'}`);
    case 'too-long':
      return new TeiError(
        'Validation',
        `Input validation error: \`inputs\` must have less than ${fault.maxTokens} tokens. Given: ${fault.tokens}`,
      );
    case 'bad-tokens':
      return new TeiError('Validation', `Input validation error: ${fault.message}`);
    case 'failed':
      return new TeiError('Backend', `Inference error: ${fault.message}`);
  }
}

/** Unreadable bodies, which the framework of that server answers in plain text. */
const PLAIN: Readonly<Record<string, { status: number; text: string }>> = {
  'malformed-json': { status: 400, text: 'Failed to parse the request body as JSON' },
  'invalid-body': { status: 422, text: 'Failed to deserialize the JSON body into the target type' },
  'body-too-large': { status: 413, text: 'Failed to buffer the request body: length limit exceeded' },
};

/** Requests that get errors in the shape of Text Embeddings Inference. */
export const TEI_ERRORS: ErrorDialect = {
  paths: /^\/(embed|invocations|info|health|similarity|tokenize)?\/?$/i,
  send: sendTeiError,
};

function sendTeiError(res: Response, error: EmbedmillError): void {
  if (error.retryable) setRetryAfter(res, error);
  if (error instanceof TeiError) {
    sendJson(res, STATUS[error.type], { error: error.message, error_type: error.type });
    return;
  }
  const plain = PLAIN[error.code];
  if (plain !== undefined) {
    const text = error.code === 'body-too-large' ? plain.text : `${plain.text}: ${error.message}`;
    res.status(plain.status).type('text/plain').send(text);
    return;
  }
  const status = statusOf(error.code);
  // A missing or unknown key is answered with an empty body.
  if (status === 401) res.status(status).end();
  else if (error.code === 'overloaded')
    sendJson(res, 429, { error: 'Model is overloaded', error_type: 'Overloaded' });
  else sendJson(res, status, { error: error.message, error_type: typeOf(status) });
}

function typeOf(status: number): TeiErrorType {
  if (status === 429) return 'Overloaded';
  if (status === 503) return 'Unhealthy';
  return status < 500 ? 'Validation' : 'Backend';
}
