/** Errors in the shape of the Ollama API: `{"error": "text"}`. */

import { type EmbedmillError, RequestError } from '@embedmill/contract';
import type { Response } from 'express';
import { type ErrorDialect, setRetryAfter } from '../http/errors.ts';
import { statusOf } from '../http/problems.ts';
import { sendJson } from '../http/send.ts';

/** A request that Ollama would reject too, with its wording. */
export class OllamaError extends RequestError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('invalid-body', message);
    this.status = status;
  }
}

/** Requests that get errors in the shape of the Ollama API. */
export const OLLAMA_ERRORS: ErrorDialect = { paths: /^\/api\//i, send: sendOllamaError };

/** The exact message of Ollama, including both spaces: clients compare it. */
const BUSY = 'server busy, please try again.  maximum pending requests exceeded';

/** HTTP status of Ollama for our error codes, where it differs. */
const STATUS: Readonly<Record<string, number>> = { 'invalid-body': 400, 'unknown-model': 404 };

/** Sends an error. Ollama reports an overload with 503. */
function sendOllamaError(res: Response, error: EmbedmillError): void {
  if (error.retryable) setRetryAfter(res, error);
  if (error.code === 'overloaded') sendJson(res, 503, { error: BUSY });
  else sendJson(res, ollamaStatusOf(error), { error: messageOf(error) });
}

function ollamaStatusOf(error: EmbedmillError): number {
  if (error instanceof OllamaError) return error.status;
  return STATUS[error.code] ?? statusOf(error.code);
}

function messageOf(error: EmbedmillError): string {
  return error.code === 'unknown-model'
    ? `model ${JSON.stringify(error.facts?.model)} not found, try pulling it first`
    : error.message;
}
