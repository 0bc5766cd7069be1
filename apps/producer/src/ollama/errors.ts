/** Errors in the shape of the Ollama API: `{"error": "text"}`. */

import { type EmbedmillError, RequestError } from '@embedmill/contract';
import type { Response } from 'express';
import { statusOf } from '../http/problems.ts';
import { askForPatience } from '../http/retry-after.ts';
import { sendJson } from '../http/send.ts';

/** A request that Ollama would refuse too, in its words. */
export class OllamaError extends RequestError {
  readonly status: number;

  constructor(status: number, message: string) {
    super('invalid-body', message);
    this.status = status;
  }
}

/** Ollama's own words, two spaces included: clients compare them. */
const BUSY = 'server busy, please try again.  maximum pending requests exceeded';

/** Where its status differs from ours. */
const STATUS: Readonly<Record<string, number>> = { 'invalid-body': 400, 'unknown-model': 404 };

/** Answers with an error. Ollama tells an overload with 503. */
export function sendOllamaError(res: Response, error: EmbedmillError): void {
  if (error.retryable) askForPatience(res, error);
  if (error.code === 'overloaded') sendJson(res, 503, { error: BUSY });
  else sendJson(res, ownStatusOf(error), { error: messageOf(error) });
}

function ownStatusOf(error: EmbedmillError): number {
  if (error instanceof OllamaError) return error.status;
  return STATUS[error.code] ?? statusOf(error.code);
}

function messageOf(error: EmbedmillError): string {
  return error.code === 'unknown-model'
    ? `model ${JSON.stringify(error.facts?.model)} not found, try pulling it first`
    : error.message;
}
