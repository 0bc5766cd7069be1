/** Writes problem documents (RFC 9457); the error answer of native paths. */

import type { EmbedmillError } from '@embedmill/contract';
import type { Response } from 'express';
import { isProblemCode, PROBLEMS } from './problems.ts';
import { requestIdOf } from './request-id.ts';
import { askForPatience } from './retry-after.ts';

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

/** Answers with a problem. */
export function sendProblem(res: Response, error: EmbedmillError): void {
  const problem = problemOf(error, requestIdOf(res));
  res.status(problem.status);
  if (error.retryable) askForPatience(res, error);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'application/problem+json');
  res.send(Buffer.from(JSON.stringify(problem)));
}
