/** Every code the API answers with, its HTTP status and its title: the one table that `problem.ts` and the documents use. */

/** How a code is answered. */
export interface ProblemKind {
  status: number;
  /** For people, the same for every problem of this code. */
  title: string;
}

/**
 * 400: the request cannot be read. 422: it can, but what it asks for cannot be done. 409: not in this state. 503: not
 * now, the same request may succeed later (with `Retry-After`). 504: not in the time that the client gave.
 */
export const PROBLEMS = {
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'invalid-query': { status: 400, title: 'The query cannot be used' },
  'invalid-headers': { status: 400, title: 'A header cannot be used' },
  'bad-path': { status: 400, title: 'The path cannot be decoded' },
  'corrupt-gzip': { status: 400, title: 'The body cannot be unpacked' },
  unauthorized: { status: 401, title: 'An API key is missing or unknown' },
  forbidden: { status: 403, title: 'The API key may not do this' },
  'not-found': { status: 404, title: 'There is nothing at this path' },
  'unknown-run': { status: 404, title: 'There is no such run' },
  'unknown-file': { status: 404, title: 'There is no such file' },
  'unknown-batch': { status: 404, title: 'There is no such batch' },
  'method-not-allowed': { status: 405, title: 'The path does not take this method' },
  'body-stalled': { status: 408, title: 'The body stopped coming' },
  'run-sealed': { status: 409, title: 'The run takes no more rows' },
  'run-ended': { status: 409, title: 'The run is over' },
  'run-not-completed': { status: 409, title: 'The run is not completed' },
  'batch-ended': { status: 409, title: 'The batch is over' },
  'part-conflict': { status: 409, title: 'The part has other rows' },
  'part-in-progress': { status: 409, title: 'The part is being sent' },
  'parts-incomplete': { status: 409, title: 'Parts are missing rows' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body has a type that is not read here' },
  'unsupported-encoding': { status: 415, title: 'The body is packed in a way that is not read here' },
  'range-not-satisfiable': { status: 416, title: 'The range lies outside of the file' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  overloaded: { status: 429, title: 'The workers are behind' },
  'invalid-body': { status: 422, title: 'The body cannot be used' },
  'key-reused': { status: 422, title: 'The Idempotency-Key stands for another run' },
  'missing-column': { status: 422, title: 'A column is missing' },
  'invalid-header': { status: 422, title: 'The header line cannot be used' },
  'unknown-model': { status: 422, title: 'No worker has this model' },
  'corrupt-files': { status: 500, title: 'The files of the run are damaged' },
  internal: { status: 500, title: 'The producer made a mistake' },
  'redis-unavailable': { status: 503, title: 'Redis is away' },
  'disk-full': { status: 503, title: 'The disk is full' },
  'no-workers': { status: 503, title: 'No worker is there' },
  unavailable: { status: 503, title: 'Not possible now' },
  'deadline-exceeded': { status: 504, title: 'The answer would be too late' },
} as const satisfies Record<string, ProblemKind>;

/** A code of the API. Codes are added, never renamed. */
export type ProblemCode = keyof typeof PROBLEMS;

/** True for a code that the table has. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** The HTTP status of an error; 500 for one that the table does not have. */
export function statusOf(code: string): number {
  return isProblemCode(code) ? PROBLEMS[code].status : PROBLEMS.internal.status;
}
