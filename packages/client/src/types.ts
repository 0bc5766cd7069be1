/** Requests and responses of the API that only its clients need; the words that all packages share are in `@embedmill/contract`. */

import type {
  CleanStep,
  Dtype,
  GlossaryTerm,
  LongTexts,
  PartReceipt,
  Precision,
  RowOutcome,
  RunInfo,
  RunState,
  Truncate,
  VectorEncoding,
} from '@embedmill/contract';

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

/** A receipt as `GET /v1/runs/:id/parts` lists it. */
export type KnownPart = Pick<PartReceipt, 'part' | 'accepted' | 'rejectedCount' | 'sha256'>;

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

/** The vectors of a few texts. */
export interface Embeddings {
  /** Floats per vector. */
  dim: number;
  /** One per text; `null` for one without a vector. */
  vectors: (Float32Array | null)[];
  /** One per text. */
  outcomes: RowOutcome[];
  /** Of the model. */
  fingerprint: string;
  usage: { tokens: number; lostTokens: number };
  timings: { totalMs: number; queueMs: number; inferMs: number };
}

/** Choices within a format of results. */
export interface ResultOptions {
  /** For `jsonl`. Default `float`. */
  encoding?: VectorEncoding;
  /** Default `float32`. */
  dtype?: Dtype;
}
