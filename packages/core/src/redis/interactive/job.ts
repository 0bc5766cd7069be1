/** A job of the interactive queue: written by the lane, read by the worker's interactive work. */

import type { Precision, TextInput, Treatment, Truncate } from '@embedmill/contract';

/** Consecutive texts of one call, at most as many as fit in a job. */
export interface CallPart {
  /** Unique; the same when the part is sent again in another job. */
  id: string;
  texts: readonly TextInput[];
  work: PartWork;
  /** Milliseconds since 1970, according to Redis; no text of the part is started after it. */
  deadline: number;
  /**
   * Fingerprint of the model that answered another part of the call; a worker with another one hands the part
   * back. Absent until the first answer.
   */
  fingerprint?: string;
}

/** What to do with the texts of a part. */
export type PartWork =
  | {
      kind: 'embed';
      precision: Precision;
      truncate: Truncate;
      treatment: Treatment;
      /** Whether outcomes include the spans of the chunks of their texts. */
      chunkSpans: boolean;
    }
  | { kind: 'tokenize'; specialTokens: boolean };

/** Parts of calls that were sent at the same time. */
export interface InteractiveJob {
  /** Letters, digits and dashes. */
  id: string;
  /** Id of the producer whose channel gets the answers. */
  producer: string;
  /** Name of the requested model. */
  model: string;
  /** Milliseconds since 1970, according to Redis. */
  enqueuedAt: number;
  parts: CallPart[];
}
