/** Writes problem documents (RFC 9457); the error answer calls it. */

import type { EmbedmillError } from '@embedmill/core';
import type { Response } from 'express';
import { dialectOf } from './dialects.ts';
import { isProblemCode, PROBLEMS } from './problems.ts';

/** Seconds that a client is asked to wait before it repeats what could not be done now. */
const RETRY_AFTER_SECONDS = 2;

/** A problem document. Facts of the error (`state`, `parts`, `limitBytes` …) stand beside these. */
export interface Problem {
  [fact: string]: unknown;
  /** `urn:embedmill:problem:<code>`. */
  type: string;
  title: string;
  status: number;
  /** What was given and what was expected. */
  detail: string;
  /** Stable, for programs. */
  code: string;
  /** The request, as in `X-Request-Id` and in the log. */
  instance: string;
}

/** What is known besides the problem itself. */
export interface SendProblemOptions {
  retryable: boolean;
  /** Of the request. */
  path: string;
}

/** The document for a known error. */
export function problemOf(error: EmbedmillError, requestId: string): Problem {
  const code = isProblemCode(error.code) ? error.code : 'internal';
  const { status, title } = PROBLEMS[code];
  const detail =
    status === 500
      ? `${error.message}; the producer's log tells more under request ${requestId}`
      : error.message;
  const instance = `urn:embedmill:request:${requestId}`;
  return { ...error.facts, type: `urn:embedmill:problem:${code}`, title, status, detail, code, instance };
}

/** Answers with a problem, in the words of the protocol that the request spoke. */
export function sendProblem(res: Response, problem: Problem, options: SendProblemOptions): void {
  res.status(problem.status);
  if (options.retryable) {
    res.setHeader('Retry-After', Number(problem.retryAfterSeconds ?? RETRY_AFTER_SECONDS));
    // Finer, for the clients that read it: the official ones of OpenAI do.
    if (problem.retryAfterMs !== undefined) res.setHeader('retry-after-ms', Number(problem.retryAfterMs));
  }
  res.setHeader('Cache-Control', 'no-store');
  dialectOf(options.path)(res, problem);
}
