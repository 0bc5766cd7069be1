/** The errors of the client: rejected requests and temporary failures. */

/** Base class of all errors of this package; `code` is stable and meant for programs. */
export class ClientError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The content of an error response besides code and message. */
export interface ApiErrorDetails {
  /** HTTP status. */
  status: number;
  /** The problem document (RFC 9457) with its extension members; empty if a proxy sent the response. */
  problem: Readonly<Record<string, unknown>>;
  /** `X-Request-Id`: the id of the request in the producer's log. */
  requestId: string | null;
}

/** The producer rejected the request; code and message are taken from its response. */
export class ApiError extends ClientError {
  readonly status: number;
  readonly problem: ApiErrorDetails['problem'];
  readonly requestId: string | null;

  constructor(code: string, message: string, { status, problem, requestId }: ApiErrorDetails) {
    super(code, message);
    this.status = status;
    this.problem = problem;
    this.requestId = requestId;
  }
}

/** A temporary failure: no response, or the producer is unavailable. The same call may succeed later. */
export class PassingFault extends ClientError {
  /** The delay requested by the producer (`Retry-After`), in milliseconds; `null` if there is none. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null, cause?: unknown) {
    super('producer-unavailable', message, cause === undefined ? {} : { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Temporary statuses: too many requests, and those of a proxy or of a producer that is starting. */
const PASSING_STATUSES = new Set([429, 502, 503, 504]);

/** Temporary error codes: the producer is still cleaning up an aborted upload of the same part. */
const PASSING_CODES = new Set(['part-in-progress']);

/**
 * The error in a non-2xx response: the problem document (RFC 9457) or the reasons of the producer, or the status of a proxy.
 */
export async function errorOf(response: Response, url: string): Promise<ApiError | PassingFault> {
  const problem = problemIn(await response.text().catch(() => ''));
  const { status, statusText, headers } = response;
  const message =
    textIn(problem.detail) ??
    textIn(problem.title) ??
    // The response of /readyz.
    textIn(Array.isArray(problem.reasons) ? problem.reasons.join(' ') : undefined) ??
    `${url} responded with ${status} ${statusText}`.trim();
  const code = textIn(problem.code);
  if (PASSING_STATUSES.has(status) || PASSING_CODES.has(code ?? '')) {
    return new PassingFault(message, retryAfterMs(headers.get('retry-after')));
  }
  return new ApiError(code ?? `http-${status}`, message, {
    status,
    problem,
    requestId: headers.get('x-request-id'),
  });
}

/** The error for a request without a response, or with an incomplete one. */
export function connectionFault(thrown: unknown, url: string): PassingFault {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error ? ('code' in cause ? cause.code : cause.message) : cause;
  return new PassingFault(`no response from ${url} (${code})`, null, thrown);
}

function problemIn(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The header `Retry-After`, which holds seconds or a date (RFC 9110, 10.2.3), in milliseconds. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
