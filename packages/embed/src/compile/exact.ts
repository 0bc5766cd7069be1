/** Compiles the weights of a BERT encoder for the exact engine. */

import { EngineError, packWeights } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import { int8Arithmetic } from './graph/int8.ts';
import type { LayerMaxima } from './quantize/activation-maxima.ts';
import { smoothByNorms } from './quantize/smoothing.ts';
import type { BertWeights } from './weights/bert-weights.ts';

/**
 * Revision of `compileExact`: the same weights and revision give the same file. Increase it whenever smoothing
 * changes; a unit test compares a checksum.
 */
export const EXACT_REVISION = 1;

/** Magnitude of int8 weights: the exact engine sums in 32 bits on every CPU, so that the full range is safe. */
const WEIGHT_LIMIT = 127;

/**
 * The weight file of an encoder, smoothed like the int8 graph. Equal arguments give equal bytes.
 * @param maxima activation maxima, one entry per layer; `null`: smoothed by the layer normalizations
 * @throws {EmbedError} `MODEL_UNSUPPORTED` for a shape or value that the engine does not take
 */
export function compileExact(
  weights: BertWeights,
  maxima: readonly LayerMaxima[] | null,
  pooling: 'mean' | 'cls',
): Uint8Array {
  const { hidden_size, num_attention_heads, layer_norm_eps } = weights.config;
  const encoder = {
    width: hidden_size,
    heads: num_attention_heads,
    layerNormEpsilon: layer_norm_eps,
    pooling,
    words: weights.words.values,
    positions: weights.positions.values,
    embeddingNorm: weights.embeddingNorm,
    layers:
      maxima === null
        ? smoothByNorms(weights)
        : weights.layers.map((layer, index) =>
            int8Arithmetic(maxima, WEIGHT_LIMIT).prepareLayer(layer, index),
          ),
  };
  try {
    return packWeights(encoder);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    throw new EmbedError('MODEL_UNSUPPORTED', cause.message, { cause });
  }
}
