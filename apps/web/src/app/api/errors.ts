/** Errors of API requests, and their messages for people. */

/** A request that was rejected or got no response. */
export class FetchError extends Error {
  /** Problem code of the API, or `unreachable` (no response) or `unreadable` (not a response of this API). */
  readonly code: string;
  /** HTTP status; 0 without a response. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/**
 * Messages by error code, for the errors that people can act on; for all others the page shows the message of
 * the API.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  unreachable: 'The server does not respond. Is it running? This page reconnects automatically.',
  'redis-unavailable': 'Redis is unreachable. This works again as soon as Redis is available.',
  'model-loading': 'A worker is loading this model. Try again in a few seconds.',
  'no-workers': 'No workers are connected. Start one with “embedmill worker”.',
  'disk-unavailable': 'The disk of the server refuses access at the moment. Try again later.',
  'disk-full': 'The disk of the server is full. Free some space, then try again.',
  overloaded: 'The workers are overloaded. Try again in a moment.',
  'deadline-exceeded': 'No worker finished within the time limit. Try again in a moment.',
  'unknown-run': 'This run does not exist; it may have been deleted.',
  'body-too-large': 'This is larger than the server accepts in one request.',
};

/** Describes an error in one or two sentences, with what the reader can do about it. */
export function describeError(error: unknown): string {
  if (!(error instanceof FetchError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401) return 'This server requires an API key. Enter it on the Admin page.';
  if (error.status === 403) return 'Your key does not allow this.';
  return MESSAGES[error.code] ?? toSentence(error.message);
}

function toSentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
