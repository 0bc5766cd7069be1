/** The words of a batch: its states, what its journal keeps and what it says about itself. Times are milliseconds since 1970. */

/** @see Batch for what enters and leaves each state */
export type BatchState =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

/** What a caller asks for. */
export interface BatchRequest {
  inputFileId: string;
  endpoint: string;
  /** As given, for example `24h`. */
  completionWindow: string;
  windowMs: number;
  metadata: Record<string, string> | null;
  /** Seconds after their making when the output files are removed; `null` is never. */
  outputExpiresAfterSeconds: number | null;
}

/** Why the input file of a batch cannot be used. */
export interface BatchFault {
  code: string;
  message: string;
  param: string | null;
  /** 1-based line of the input file; `null` for the file as a whole. */
  line: number | null;
}

/** Lines by what became of them. */
export interface LineCounts {
  total: number;
  completed: number;
  failed: number;
}

/** One line of the journal of a batch. */
export type BatchEntry =
  | { type: 'created'; id: string; at: number; expiresAt: number; request: BatchRequest }
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
  /** `null` when no line went into it. */
  outputFileId: string | null;
  errorFileId: string | null;
}
