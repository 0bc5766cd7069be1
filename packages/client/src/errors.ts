/** What can go wrong between a client and a producer. */

/** Every error of this package; `code` is stable and for programs. */
export class ClientError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What an answer that refuses says besides code and message. */
export interface ApiErrorDetails {
  /** HTTP status. */
  status: number;
  /** The problem document (RFC 9457) with its facts; empty where a proxy answered. */
  problem: Readonly<Record<string, unknown>>;
  /** `X-Request-Id`, under which the producer's log has the request. */
  requestId: string | null;
}

/** The producer answered that it will not do what was asked; code and message are its own. */
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

/** A fault that passes: nobody answers, or the producer says that it cannot now. The same call may succeed later. */
export class PassingFault extends ClientError {
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
  const problem = problemIn(await response.text().catch(() => ''));
  const { status, statusText, headers } = response;
  const message =
    wordIn(problem.detail) ?? wordIn(problem.title) ?? `${url} answered ${status} ${statusText}`.trim();
  const code = wordIn(problem.code);
  if (PASSING_STATUSES.has(status) || PASSING_CODES.has(code ?? '')) {
    return new PassingFault(message, retryAfterMs(headers.get('retry-after')));
  }
  return new ApiError(code ?? `http-${status}`, message, {
    status,
    problem,
    requestId: headers.get('x-request-id'),
  });
}

/** The error for a request that got no answer, or whose answer broke off. */
export function connectionFault(thrown: unknown, url: string): PassingFault {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error ? ('code' in cause ? cause.code : cause.message) : cause;
  return new PassingFault(`no answer from ${url} (${code})`, null, thrown);
}

function problemIn(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function wordIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `Retry-After` in milliseconds; it holds seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
