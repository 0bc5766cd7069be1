/** What turns a few texts into vectors for a command: the model in this process, or a producer. */

/** Texts in, vectors out; `search` and `eval` hold one. */
export interface TextEmbedder {
  /** As tables name it: the model and its precision, or the server. */
  readonly name: string;
  /**
   * One vector of length 1 per text, zeros for a text without any token.
   * @param onText is told how many texts are done
   * @param as what is searched is a `document`; models that were trained with two prompts put another one before it
   */
  embed(
    texts: readonly string[],
    onText?: (done: number) => void,
    as?: 'text' | 'document',
  ): Promise<TextVectors>;
  close(): Promise<void>;
}

/** Vectors of texts, in their order. */
export interface TextVectors {
  dim: number;
  /** texts × dim, row by row. */
  vectors: Float32Array;
}
