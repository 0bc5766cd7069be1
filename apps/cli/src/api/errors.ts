/** What can go wrong between the command and a producer. */

import { EmbedmillError, UnavailableError } from '@embedmill/core';

/** The producer answered that it will not do what was asked; code and message are its own. */
export class ApiError extends EmbedmillError {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** A fault that passes: nobody answers, or the producer says that it cannot now. */
export class PassingFault extends UnavailableError {
  /** What the producer asked to wait, in milliseconds; `null` when it said nothing. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null, cause?: unknown) {
    super('producer-unavailable', message, cause === undefined ? {} : { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Statuses that pass by themselves: too many requests, and everything a proxy or a starting producer says. */
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/** Another request of ours, broken off, is still being cleared away. */
const PASSING_CODES = new Set(['part-in-progress']);

/** The error in an answer that is not 2xx: RFC 9457 where the producer wrote it, the status where a proxy did. */
export async function errorOf(response: Response, url: string): Promise<ApiError | PassingFault> {
  const text = await response.text().catch(() => '');
  const { code, detail } = problemIn(text);
  const message = detail ?? `${url} answered ${response.status} ${response.statusText}`.trim();
  if (PASSING_STATUSES.has(response.status) || PASSING_CODES.has(code ?? '')) {
    return new PassingFault(message, retryAfterMs(response.headers.get('retry-after')));
  }
  return new ApiError(response.status, code ?? `http-${response.status}`, message);
}

/** The error for a request that got no answer, or whose answer broke off. */
export function connectionFault(thrown: unknown, url: string): PassingFault {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error ? ('code' in cause ? cause.code : cause.message) : cause;
  return new PassingFault(`no answer from ${url} (${code})`, null, thrown);
}

function problemIn(text: string): { code?: string | undefined; detail?: string | undefined } {
  try {
    const problem: Record<string, unknown> = JSON.parse(text);
    const word = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
    return { code: word(problem.code), detail: word(problem.detail) ?? word(problem.title) };
  } catch {
    return {};
  }
}

/** `Retry-After` in milliseconds; it holds seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
