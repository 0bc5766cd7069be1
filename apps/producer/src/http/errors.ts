/**
 * Turns failed requests into responses: problem documents (RFC 9457) or errors of a compatible API.
 * Decision: docs/decisions/0061.
 */

import {
  boundMessage,
  CorruptError,
  EmbedmillError,
  quote,
  RequestError,
  UnavailableError,
} from '@embedmill/contract';
import { faultOf } from '@embedmill/core/process';
import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { isProblemCode, PROBLEMS, statusOf } from './problems.ts';
import { requestIdOf } from './request-id.ts';

/** How one compatible API reports errors. Requests outside all dialects get problem documents. */
export interface ErrorDialect {
  /** Matches the request paths of the API. */
  paths: RegExp;
  /** Sends an error in the shape of the API. */
  send: (res: Response, error: EmbedmillError) => void;
}

/** What the error handler works with. */
export interface ErrorHandlerDeps {
  /** The first one whose paths match is used. */
  dialects: readonly ErrorDialect[];
  /** Receives every error that is answered with 500. */
  log: Logger;
}

/** The last step of every failed request: one response, and a log line if the fault is the producer's. */
export function handleErrors({ dialects, log }: ErrorHandlerDeps): ErrorRequestHandler {
  // Express recognizes an error handler by its four parameters.
  return (thrown: unknown, req, res, _next) => {
    const error = bounded(asKnownError(thrown));
    const requestId = requestIdOf(res);
    // No response can be sent. Reading the body or waiting for the client is what failed.
    if (req.socket.destroyed) {
      log.debug({ requestId, code: error.code, reason: error.message }, 'the client disconnected');
      return;
    }
    if (statusOf(error.code) === 500) log.error({ requestId, err: error.cause ?? error }, 'a request failed');
    // A partial response must not look complete.
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const send = dialects.find(({ paths }) => paths.test(req.path))?.send ?? sendProblem;
    send(res, error);
  };
}

/** Maximum characters of the texts in the facts of an error. */
const MAX_FACT_CHARS = 2000;

/** Bounds the message, which may quote what the client sent, and leaves out facts with long texts. */
function bounded(error: EmbedmillError): EmbedmillError {
  error.message = boundMessage(error.message);
  const facts = Object.entries(error.facts ?? {}).filter(
    // Numbers of parts are what clients send again; texts are only shown.
    ([, fact]) => !hasTexts(fact) || JSON.stringify(fact).length <= MAX_FACT_CHARS,
  );
  Object.assign(error, { facts: error.facts === undefined ? undefined : Object.fromEntries(facts) });
  return error;
}

function hasTexts(fact: unknown): boolean {
  return typeof fact === 'string' || (Array.isArray(fact) && fact.some((one) => typeof one !== 'number'));
}

/**
 * Maps anything thrown to an error with a code of the API. What a client must not see (paths, addresses,
 * stack traces) stays in `cause`.
 */
export function asKnownError(thrown: unknown): EmbedmillError {
  if (thrown instanceof EmbedmillError && isProblemCode(thrown.code)) return thrown;
  const options = { cause: thrown };
  if (thrown instanceof CorruptError)
    return new CorruptError('corrupt-files', 'the files of this run are damaged', options);
  // Its message names the folder.
  if (thrown instanceof EmbedmillError && thrown.code === 'folder-lost')
    return new UnavailableError('unavailable', 'this producer no longer owns its data folder', options);
  if (thrown instanceof EmbedmillError && thrown.retryable)
    return new UnavailableError('unavailable', thrown.message, options);
  const { source, duration, kind, sentence } = faultOf(thrown);
  if (source === 'redis') return new UnavailableError('redis-unavailable', sentence, options);
  if (source === 'disk' && duration === 'passing') {
    const isFull = kind === 'ENOSPC' || kind === 'EDQUOT';
    return new UnavailableError(isFull ? 'disk-full' : 'disk-unavailable', sentence, options);
  }
  // Express could not decode a path parameter.
  if (thrown instanceof URIError)
    return new RequestError(
      'bad-path',
      `the path is not percent-encoded UTF-8: ${quote(thrown.message)}`,
      options,
    );
  return new EmbedmillError('internal', 'internal error', options);
}

/** A problem document. The facts of the error (`state`, `parts`, `limitBytes`, …) are additional members. */
export interface ProblemDocument {
  [fact: string]: unknown;
  /** `urn:embedmill:problem:<code>`. */
  type: string;
  title: string;
  status: number;
  /** What was given and what was expected. */
  detail: string;
  /** Stable identifier for programs. */
  code: string;
  /** `urn:embedmill:request:<id>`, with the id from `X-Request-Id` and the log. */
  instance: string;
}

/** The problem document for an error; errors without a code of the API become `internal`. */
export function problemOf(error: EmbedmillError, requestId: string): ProblemDocument {
  const code = isProblemCode(error.code) ? error.code : 'internal';
  const { status, title } = PROBLEMS[code];
  const detail =
    status === 500 ? `${error.message}; see the producer's log for request ${requestId}` : error.message;
  const instance = `urn:embedmill:request:${requestId}`;
  return { ...error.facts, type: `urn:embedmill:problem:${code}`, title, status, detail, code, instance };
}

function sendProblem(res: Response, error: EmbedmillError): void {
  const problem = problemOf(error, requestIdOf(res));
  res.status(problem.status);
  if (error.retryable) setRetryAfter(res, error);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'application/problem+json');
  res.send(Buffer.from(JSON.stringify(problem)));
}

/** Used when the error does not state a delay. */
const DEFAULT_RETRY_SECONDS = 2;

/**
 * Sets `Retry-After` in whole seconds and the finer `retry-after-ms`, which the official OpenAI clients read.
 * The error states the delay in its facts `retryAfterMs` or `retryAfterSeconds`.
 */
export function setRetryAfter(res: Response, { facts }: Pick<EmbedmillError, 'facts'>): void {
  const seconds = Number(facts?.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS);
  res.setHeader('Retry-After', Math.max(1, Math.ceil(seconds)));
  res.setHeader('retry-after-ms', Math.ceil(Number(facts?.retryAfterMs ?? seconds * 1000)));
}
