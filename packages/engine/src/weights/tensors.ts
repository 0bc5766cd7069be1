/** The weights of a BERT encoder as plain tensors: the input of the weight compiler. */

/** `output = input × weight + bias`. */
export interface Dense {
  inputs: number;
  outputs: number;
  /** inputs × outputs, row-major: the transpose of what PyTorch stores. */
  weight: Float32Array;
  bias: Float32Array;
}

export interface Norm {
  gain: Float32Array;
  bias: Float32Array;
}

/**
 * One layer. The optional scales are those of SmoothQuant, one per input channel of the linear layer that they name: the
 * input is multiplied by them before it is quantised, and the rows of `weight` already make up for it.
 */
export interface EncoderLayer {
  query: Dense;
  key: Dense;
  value: Dense;
  attentionOutput: Dense;
  attentionNorm: Norm;
  /** The wide layer in front of GELU. */
  intermediate: Dense;
  output: Dense;
  outputNorm: Norm;
  attentionInputScale?: Float32Array | undefined;
  intermediateInputScale?: Float32Array | undefined;
  outputInputScale?: Float32Array | undefined;
}

/** How token vectors become one vector per text; it is then scaled to length 1. */
export type Pooling = 'mean' | 'cls';

/** A BERT encoder with absolute positions and GELU. */
export interface Encoder {
  /** Floats per token. */
  width: number;
  heads: number;
  layerNormEpsilon: number;
  pooling: Pooling;
  /** vocabulary × width. */
  words: Float32Array;
  /** positions × width, with the vector of the only token type added. */
  positions: Float32Array;
  embeddingNorm: Norm;
  layers: readonly EncoderLayer[];
}
