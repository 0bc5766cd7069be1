/** What went wrong with a request, and how a page says so in plain words. */

/** A request that was refused, or never answered. */
export class ApiError extends Error {
  /** Of the API's problems, or `unreachable` (no answer) or `unreadable` (no answer of this API). */
  readonly code: string;
  /** HTTP status; 0 without an answer. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** First what it means for the person in front of the page; the API's own words follow where they add something. */
const MEANING: Readonly<Record<string, string>> = {
  unreachable: 'The producer does not answer. Is it running? This page tries again by itself.',
  'redis-unavailable': 'Redis is away, so this cannot be done now. It works again as soon as Redis is back.',
  'no-workers': 'No worker is there to embed texts. Start one with “embedmill worker”.',
  'disk-unavailable': 'The disk of the producer refuses access now. Try again later.',
  'disk-full': 'The disk of the producer is full. Make room there, then try again.',
  overloaded: 'The workers are behind. Try again in a moment.',
  'deadline-exceeded': 'No worker had time within the limit. Try again in a moment.',
  'unknown-run': 'There is no such run; it may have been deleted.',
  'body-too-large': 'This is more than the producer takes at once.',
};

/** One or two sentences for people. */
export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return 'This producer asks for a key. Enter it on the page Admin.';
  if (error.status === 403) return 'Your key does not allow this.';
  return MEANING[error.code] ?? sentence(error.message);
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
