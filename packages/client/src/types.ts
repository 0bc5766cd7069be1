/** What the API says and takes, as its users see it; a test holds these types against those of the producer. */

/** Arithmetic of the linear layers. */
export type Precision = 'int8' | 'fp32';

/** What happens to tokens beyond the model's limit: drop the end, drop the start, or fail the row. */
export type Truncate = 'end' | 'start' | 'error';

/** The name of a step that cleans texts; docs/treatment.md says what each does. */
export type CleanStep =
  | 'html'
  | 'nfkc'
  | 'line-breaks'
  | 'invisible'
  | 'control'
  | 'spaces'
  | 'white-space'
  | 'final-punctuation';

/** A term, what stands for it, and whether its capitals must be as written. */
export type GlossaryTerm =
  | readonly [term: string, wording: string]
  | readonly [term: string, wording: string, rule: 'exact' | 'any'];

/** What becomes of texts beyond the model's limit: cut, or embedded in chunks of which the vector is the mean. */
export type LongTexts = 'truncate' | 'mean' | 'plain-mean' | `max-chunks=${number}`;

/** What became of a row: `ok` and `truncated` have a vector, `empty` and `failed` have none. */
export type RowVerdict = 'ok' | 'truncated' | 'empty' | 'failed';

/** `completed`, `failed` and `cancelled` are ends; `retry` makes a completed run `sealed` again. */
export type RunState = 'open' | 'sealed' | 'completed' | 'failed' | 'cancelled';

/** What a run is created with; the producer fills in what is left out. */
export interface NewRun {
  /** For people; may repeat. */
  name?: string | null;
  /** Model that the workers must have. */
  model?: string;
  /** Default `int8`. */
  precision?: Precision;
  /** Default `end`. */
  truncate?: Truncate;
  /** Default: none. */
  clean?: readonly CleanStep[];
  /** Default `truncate`. */
  long?: LongTexts;
  /** Put before every text. Default: nothing. */
  prompt?: string;
  /** Terms and their plain wording; without a rule, acronyms must be written as they are. */
  glossary?: readonly GlossaryTerm[];
  /** Most rows of a batch. */
  batchRows?: number;
  /** Most estimated tokens of a batch. */
  batchTokens?: number;
}

/** What a run was created with, nothing left open. */
export interface RunOptions {
  name: string | null;
  model: string;
  precision: Precision;
  truncate: Truncate;
  clean: readonly CleanStep[];
  long: LongTexts;
  prompt: string;
  /** Hash of the glossary; `null`: none. */
  glossary: string | null;
  batchRows: number;
  batchTokens: number;
}

/** A run. Times are ISO 8601 or `null`. */
export interface RunInfo {
  id: string;
  state: RunState;
  options: RunOptions;
  createdAt: string;
  sealedAt: string | null;
  endedAt: string | null;
  /** Why the run `failed`. */
  error: string | null;
  parts: number;
  rows: { accepted: number; rejected: number; done: number };
  batches: { total: number; done: number; stored: number };
  verdicts: Record<RowVerdict, number>;
  /** Tokens that went through the model, and those cut off by truncation. */
  tokens: number;
  lostTokens: number;
  /** Rows whose vector is the mean of chunks. */
  chunkedRows: number;
  /** Terms of the glossary that were replaced. */
  replacements: number;
  /** Of the last seconds while the run is at work, over its whole time once it has ended. */
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Seconds to the end of the accepted rows at the present rate; `null` while unknown. */
  etaSeconds: number | null;
  /** Floats per vector, and the fingerprint of the model that made them; `null` before the first batch. */
  dim: number | null;
  fingerprint: string | null;
}

/** One answer of `GET /v1/runs`. */
export interface RunPage {
  /** The newest first. */
  runs: RunInfo[];
  /** What to ask for `after` to get the next page; `null` on the last one. */
  next: string | null;
}

/** Which runs to list. */
export interface RunFilter {
  /** Most runs of a page, up to 1 000. Default 100. */
  limit?: number;
  /** Id of the last run of the page before. */
  after?: string;
  state?: RunState;
}

/** A row as it is sent; without an id its number stands in. */
export interface RowInput {
  id?: string;
  text: string;
}

/** A row that is not in the run. */
export interface RejectedRow {
  /** From 1, within its part. */
  line: number;
  code: string;
  message: string;
}

/** The answer to a part; the same part again gets the same answer. */
export interface PartReceipt {
  part: number;
  /** Rows that are in the run now. */
  accepted: number;
  /** Rows that are not; at most 1 000, `rejectedCount` counts all. */
  rejected: RejectedRow[];
  rejectedCount: number;
  /** SHA-256 of the body as it was before packing, in hexadecimal. */
  sha256: string;
}

/** A receipt as `GET /v1/runs/:id/parts` lists it. */
export type KnownPart = Pick<PartReceipt, 'part' | 'accepted' | 'rejectedCount' | 'sha256'>;

/** A row without a vector, or with one that misses tokens. */
export interface ReportRow {
  id: string;
  line: number;
  verdict: RowVerdict;
  message: string;
  lostTokens?: number;
}

/** The backlog of a producer, the speed of its workers and what follows. */
export interface Scale {
  /** Accepted rows without a vector. */
  backlogRows: number;
  /** Estimated. */
  backlogTokens: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
  /** Workers that are connected. */
  workers: number;
  /** `null` before any is known. */
  tokensPerSecondPerWorker: number | null;
  /** Seconds in which the backlog should be done. */
  drainTargetSeconds: number;
  /** Workers that would finish within that time. */
  desiredWorkers: number;
}

/** A text, or the ids of its tokens without [CLS] and [SEP]. */
export type TextInput = string | readonly number[];

/** How a few texts are to be embedded. */
export interface EmbedOptions {
  /** Model that the workers must have. Default: the model of the producer. */
  model?: string;
  /** Default `int8`. */
  precision?: Precision;
  /** Default `end`. */
  truncate?: Truncate;
  /** Default: none. */
  clean?: readonly CleanStep[];
  /** Default `truncate`. */
  long?: LongTexts;
  /** Put before every text. Default: nothing. */
  prompt?: string;
  /** Id of a run whose glossary is applied to the texts, if it has one. */
  glossaryOf?: string;
  /** Whether outcomes say where the chunks of their texts are; not with `long: 'truncate'`, which makes none. Default false. */
  chunkSpans?: boolean;
  /** Time after which the answer is of no use any more. Default 30 s. */
  timeoutMs?: number;
}

/** Where a chunk of a text is. */
export interface ChunkSpan {
  /** In UTF-16 units of the treated text, as `slice` takes them. */
  start: number;
  end: number;
  /** Tokens of the chunk itself: without [CLS], [SEP] and the prompt. */
  tokens: number;
}

/** What became of one text. */
export interface Outcome {
  verdict: RowVerdict;
  /** Tokens that went through the model. */
  tokens: number;
  /** Tokens that are in no vector. */
  lostTokens: number;
  /** Chunks whose mean the vector is; absent when the text went through the model in one piece. */
  chunks?: number;
  /** Terms of the glossary that were replaced in the text; absent: none. */
  replacements?: number;
  /** The chunks in the vector, in order; when asked for, and where a text has a vector. */
  chunkSpans?: ChunkSpan[];
  /** The text that `chunkSpans` are of, without the prompt; absent when the treatment left it as it was. */
  treated?: string;
  /** Why it `failed`. */
  message?: string;
}

/** The vectors of a few texts. */
export interface Embeddings {
  /** Floats per vector. */
  dim: number;
  /** One per text; `null` for one without a vector. */
  vectors: (Float32Array | null)[];
  /** One per text. */
  outcomes: Outcome[];
  /** Of the model. */
  fingerprint: string;
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Formats of results. */
export type ResultFormat = 'npy' | 'jsonl' | 'parquet' | 'arrow';

/** How JSON lines write a vector. */
export type VectorEncoding = 'float' | 'base64';

/** What is kept of a float; `int8` comes with a scale per row, for `npy` in a file of its own. */
export type Dtype = 'float32' | 'float16' | 'int8';

/** Choices within a format of results. */
export interface ResultOptions {
  /** For `jsonl`. Default `float`. */
  encoding?: VectorEncoding;
  /** Default `float32`. */
  dtype?: Dtype;
}
