/** Request and response types that only clients need; the shared types are in `@embedmill/contract`. */

import type {
  CleanStep,
  Dtype,
  GlossaryTerm,
  InputType,
  LongTexts,
  PartReceipt,
  Precision,
  RowOutcome,
  RunInfo,
  RunState,
  Truncate,
  VectorEncoding,
} from '@embedmill/contract';

/** The options of a new run; the producer sets the defaults. */
export interface NewRun {
  /** Display name; need not be unique. */
  name?: string | null;
  /** Model that the workers must run. */
  model?: string;
  /** Arithmetic of the linear layers. Default `int8`. */
  precision?: Precision;
  /** What happens to tokens over the model's limit. Default `end`. */
  truncate?: Truncate;
  /** Cleaning steps. Default: none. */
  clean?: readonly CleanStep[];
  /** How texts over the token limit are embedded. Default `truncate`. */
  long?: LongTexts;
  /** Text put before every text. Default: the prompt that the model has for the input type. */
  prompt?: string;
  /** Selects the prompt of the model. Default `document`. */
  inputType?: InputType | undefined;
  /** Terms and their replacements; without a rule, acronyms must match exactly. */
  glossary?: readonly GlossaryTerm[];
  /** Maximum rows per batch. */
  batchRows?: number;
  /** Maximum estimated tokens per batch. */
  batchTokens?: number;
  /** Days after its end until the producer deletes the run. Default: the setting of the producer. */
  keepDays?: number;
}

/** One page of `GET /v1/runs`. */
export interface RunPage {
  /** The runs, newest first. */
  runs: RunInfo[];
  /** Value of `after` for the next page; `null` on the last page. */
  next: string | null;
}

/** Which runs to list. */
export interface RunFilter {
  /** Maximum runs per page, up to 1,000. Default 100. */
  limit?: number;
  /** Id of the last run of the previous page. */
  after?: string;
  state?: RunState;
}

/** A row to send; a row without an id gets its number as id. Other fields are columns, which a run keeps on request. */
export interface RowInput {
  id?: string;
  text: string;
  [column: string]: unknown;
}

/** Columns whose values a run keeps with its rows: names or paths (`review.stars`), or `*` for all. */
export type KeptColumns = readonly string[] | '*';

/** A receipt as `GET /v1/runs/:id/parts` lists it. */
export type KnownPart = Pick<PartReceipt, 'part' | 'accepted' | 'rejectedCount' | 'sha256'>;

/** The model of a connected worker. */
export interface WorkerModel {
  model: string;
  /** Fingerprint of its int8 weights and its engine; workers with equal fingerprints compute equal vectors. */
  fingerprint: string;
}

/** Options of one call to embed texts. */
export interface EmbedOptions {
  /** Model that the workers must run. Default: the model of the producer. */
  model?: string;
  /** Arithmetic of the linear layers. Default `int8`. */
  precision?: Precision;
  /** What happens to tokens over the model's limit. Default `end`. */
  truncate?: Truncate;
  /** Cleaning steps. Default: none. */
  clean?: readonly CleanStep[];
  /** How texts over the token limit are embedded. Default `truncate`. */
  long?: LongTexts;
  /** Text put before every text. Default: the prompt that the model has for the input type. */
  prompt?: string;
  /** Selects the prompt of the model. Default `document`. */
  inputType?: InputType | undefined;
  /** Id of a run; its glossary, if any, is applied to the texts. */
  glossaryOf?: string;
  /**
   * Whether outcomes hold chunk positions; not with `long: 'truncate'`, which makes no chunks. Default false.
   */
  chunkSpans?: boolean;
  /** Deadline of the call in milliseconds. Default 30 s. */
  timeoutMs?: number;
}

/** The response to a call: vectors, outcomes and timings. */
export interface Embeddings {
  /** Floats per vector. */
  dim: number;
  /** One vector per text; `null` if the text has none. */
  vectors: (Float32Array | null)[];
  /** One outcome per text. */
  outcomes: RowOutcome[];
  /** Fingerprint of model and treatment; vectors with equal fingerprints are comparable. */
  fingerprint: string;
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Options of a result format. */
export interface ResultOptions {
  /** How `jsonl` represents a vector; ignored by the other formats. Default `float`. */
  encoding?: VectorEncoding;
  /** Number type of the stored vectors. Default `float32`. */
  dtype?: Dtype;
}
