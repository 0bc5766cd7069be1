/** The port to an embedder of a few texts: the model in this process, or a producer. */

import type { ScoreBaseline } from '@embedmill/contract';

/** Embeds texts. */
export interface TextEmbedder {
  /** Name in tables: the model or server, and the precision. */
  readonly name: string;
  /** Cosines of unrelated texts of the model; absent if they were not measured on this machine. */
  readonly baseline?: ScoreBaseline | undefined;
  /**
   * One vector of Euclidean length 1 per text; zeros for a text without tokens.
   * @param onText receives the number of texts done
   * @param as selects the prompt, for models with separate prompts for queries and documents
   */
  embed(
    texts: readonly string[],
    onText?: (done: number) => void,
    as?: 'text' | 'document',
  ): Promise<TextVectors>;
  close(): Promise<void>;
}

/** Vectors of texts, in the same order. */
export interface TextVectors {
  dim: number;
  /** Matrix of texts × dim, in row-major order. */
  vectors: Float32Array;
}
