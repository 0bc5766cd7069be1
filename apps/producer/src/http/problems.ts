/** Every error code of the API with its HTTP status and title. */

/** How an error code is answered. */
export interface ProblemKind {
  status: number;
  /** Short text for people, the same for every problem with this code. */
  title: string;
}

/**
 * 400: the request cannot be read. 422: it can be read but not carried out. 409: not in the current state.
 * 503: temporarily impossible, the same request may succeed later (with `Retry-After`). 504: not within the
 * client's deadline.
 */
export const PROBLEMS = {
  'malformed-json': { status: 400, title: 'The body is not JSON' },
  'invalid-query': { status: 400, title: 'Invalid query' },
  'invalid-headers': { status: 400, title: 'Invalid header' },
  'bad-path': { status: 400, title: 'The path cannot be decoded' },
  'corrupt-export': { status: 400, title: 'The file is not a whole export of a run' },
  'corrupt-gzip': { status: 400, title: 'The body cannot be decompressed' },
  'corrupt-zstd': { status: 400, title: 'The file cannot be unpacked' },
  'corrupt-bzip2': { status: 400, title: 'The file cannot be unpacked' },
  'corrupt-xz': { status: 400, title: 'The file cannot be unpacked' },
  'truncated-json': { status: 400, title: 'The JSON array or value has no end' },
  unauthorized: { status: 401, title: 'Missing or unknown API key' },
  forbidden: { status: 403, title: 'The API key does not have the required role' },
  'origin-not-allowed': { status: 403, title: 'Pages of this origin may not use the API' },
  'not-found': { status: 404, title: 'Not found' },
  'unknown-run': { status: 404, title: 'Unknown run' },
  'unknown-file': { status: 404, title: 'Unknown file' },
  'unknown-batch': { status: 404, title: 'Unknown batch' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'body-stalled': { status: 408, title: 'The body stalled' },
  'run-sealed': { status: 409, title: 'The run is sealed' },
  'run-ended': { status: 409, title: 'The run has ended' },
  'column-is-text': { status: 422, title: 'The values of the column are texts' },
  'unknown-column': { status: 404, title: 'Unknown column' },
  'unknown-topic': { status: 404, title: 'Unknown topic' },
  'not-analysed': { status: 409, title: 'The run is not analysed' },
  'too-many-topics': { status: 422, title: 'More topics than rows' },
  'run-too-large': { status: 422, title: 'The run is too large for this' },
  'invalid-filter': { status: 422, title: 'The filter does not fit the column' },
  'run-not-completed': { status: 409, title: 'The run is not completed' },
  'run-not-finished': { status: 409, title: 'The run has not ended' },
  'run-in-use': { status: 409, title: 'The run is being read' },
  'run-exists': { status: 409, title: 'A run with this id exists' },
  'batch-ended': { status: 409, title: 'The batch has ended' },
  'part-conflict': { status: 409, title: 'The part already has other rows' },
  'part-complete': { status: 409, title: 'The part is complete' },
  'part-in-progress': { status: 409, title: 'The part is already being uploaded' },
  'parts-incomplete': { status: 409, title: 'Some parts are missing or incomplete' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'unknown-charset': { status: 422, title: 'Unknown charset' },
  'unsupported-encoding': { status: 415, title: 'Unsupported content encoding' },
  'range-not-satisfiable': { status: 416, title: 'The range is outside the file' },
  'host-not-allowed': { status: 421, title: 'The host name is not allowed' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  overloaded: { status: 429, title: 'The workers or the memory of the producer are in use' },
  'invalid-body': { status: 422, title: 'Invalid body' },
  'key-reused': { status: 422, title: 'The Idempotency-Key belongs to another run' },
  'missing-column': { status: 422, title: 'A column is missing' },
  'invalid-header': { status: 422, title: 'Invalid header line' },
  'unknown-model': { status: 422, title: 'No worker serves this model' },
  'corrupt-files': { status: 500, title: 'The files of the run are damaged' },
  internal: { status: 500, title: 'Internal server error' },
  'redis-unavailable': { status: 503, title: 'Redis is unavailable' },
  'disk-full': { status: 503, title: 'The disk is full' },
  'disk-unavailable': { status: 503, title: 'The disk is unavailable' },
  'model-loading': { status: 503, title: 'A worker is loading the model' },
  'no-workers': { status: 503, title: 'No workers are connected' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
  'deadline-exceeded': { status: 504, title: 'Deadline exceeded' },
} as const satisfies Record<string, ProblemKind>;

/** An error code of the API. Codes are added, never renamed. */
export type ProblemCode = keyof typeof PROBLEMS;

/** Whether a code is in the table. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** The HTTP status for an error code; 500 for a code that is not in the table. */
export function statusOf(code: string): number {
  return isProblemCode(code) ? PROBLEMS[code].status : PROBLEMS.internal.status;
}
