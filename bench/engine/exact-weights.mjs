/** The built-in model as a weight file of the exact engine. */

import { packWeights } from '@embedmill/engine';
import { int8Arithmetic } from '../../packages/embed/dist/compile/graph/int8.js';
import { readActivationMaxima } from '../../packages/embed/dist/compile/quantize/activation-maxima.js';
import { readBuiltInWeights } from '../../packages/embed/dist/prepare/built-in.js';

/** @returns {Promise<Uint8Array>} */
export async function builtInWeights() {
  const weights = await readBuiltInWeights();
  const arithmetic = int8Arithmetic(await readActivationMaxima(), 127);
  return packWeights({
    width: weights.config.hidden_size,
    heads: weights.config.num_attention_heads,
    layerNormEpsilon: weights.config.layer_norm_eps,
    pooling: 'mean',
    words: weights.words.values,
    positions: weights.positions.values,
    embeddingNorm: weights.embeddingNorm,
    layers: weights.layers.map((layer, index) => arithmetic.prepareLayer(layer, index)),
  });
}
