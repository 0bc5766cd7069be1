/** What travels to a worker in one job of the interactive queue; the lane writes it, the worker's interactive work reads it. */

import type { Precision, TextInput, Treatment, Truncate } from '@embedmill/contract';

/** Texts of one call, at most as many as fit a job. */
export interface CallPart {
  /** Of this part alone, in every job that it is ever in. */
  id: string;
  texts: readonly TextInput[];
  work: PartWork;
  /** By the clock of Redis, in milliseconds; nothing of the part is begun after it. */
  deadline: number;
}

/** What is to be done with the texts of a part. */
export type PartWork =
  | {
      kind: 'embed';
      precision: Precision;
      truncate: Truncate;
      treatment: Treatment;
      /** Whether outcomes say where the chunks of their texts are. */
      chunkSpans: boolean;
    }
  | { kind: 'tokenize'; specialTokens: boolean };

/** One job: parts of calls that came together. */
export interface InteractiveJob {
  /** Letters, digits and dashes. */
  id: string;
  /** Whose calls these are: its channel gets the answers. */
  producer: string;
  /** Name of the model that the callers want. */
  model: string;
  /** By the clock of Redis, in milliseconds. */
  enqueuedAt: number;
  parts: CallPart[];
}
