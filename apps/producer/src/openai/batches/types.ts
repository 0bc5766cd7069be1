/** Types of OpenAI batches: states, journal entries and counts. Times are milliseconds since 1970. */

/** @see OpenAiBatch for the transitions between the states */
export type BatchState =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** The checked body of `POST /v1/batches`. */
export interface BatchCreateParams {
  inputFileId: string;
  endpoint: string;
  /** The window as given, for example `24h`. */
  completionWindow: string;
  windowMs: number;
  metadata: Record<string, string> | null;
  /** Lifetime of the output files in seconds; `null` is unlimited. */
  outputExpiresAfterSeconds: number | null;
}

/** Why the input file of a batch is unusable. */
export interface BatchFault {
  code: string;
  message: string;
  param: string | null;
  /** 1-based line of the input file; `null` for the file as a whole. */
  line: number | null;
}

/** Number of lines by outcome. */
export interface LineCounts {
  total: number;
  completed: number;
  failed: number;
}

/** One entry in the journal of a batch. The field names are part of the file format. */
export type BatchEntry =
  | { type: 'created'; id: string; at: number; expiresAt: number; request: BatchCreateParams }
  | { type: 'validated'; at: number; lines: number; rows: number; refused: number; model: string }
  | { type: 'started'; run: string }
  | { type: 'stopping'; at: number; why: 'cancelled' | 'expired' }
  | { type: 'finalizing'; at: number; outputFileId: string; errorFileId: string }
  | BatchEnd;

/** How a batch ended. */
export interface BatchEnd {
  type: 'ended';
  at: number;
  state: 'completed' | 'failed' | 'cancelled' | 'expired';
  /** Empty unless the state is `failed`. */
  faults: BatchFault[];
  counts: LineCounts;
  tokens: number;
  /** `null` if it would have no lines. */
  outputFileId: string | null;
  errorFileId: string | null;
}
