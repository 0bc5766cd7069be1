/**
 * SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): moves differences between input channels into the
 * weights.
 *
 * The input of a linear layer has one int8 scale for all channels, whereas the weights have one scale per
 * column.
 */

import type { Dense, EncoderLayer, Norm } from '@embedmill/engine';
import type { BertWeights } from '../weights/bert-weights.ts';

/**
 * Share of the differences that moves into the weights; found by search, see
 * docs/decisions/0011-int8-smoothing-and-splitting.md.
 */
const SMOOTHING_ALPHA = 0.65;

/**
 * Share of the gain in the estimated activation of a channel; found by search, see
 * docs/decisions/0121-weights-from-onnx-files.md.
 */
const GAIN_SHARE = 0.2;

/** Minimum estimate as a share of the largest, so that unused channels do not get extreme factors. */
const MIN_ACTIVATION = 1 / 256;

/**
 * Smooths a model without recorded activations: the inputs of attention and of the intermediate layer are outputs
 * of a layer normalization, whose gain and bias say which channels are large.
 */
export function smoothByNorms({ embeddingNorm, layers }: BertWeights): EncoderLayer[] {
  return layers.map((layer, index) => {
    const { query, key, value, attentionNorm } = layer;
    const inputNorm = layers[index - 1]?.outputNorm ?? embeddingNorm;
    const attention = smoothingFactors(estimatedActivations(inputNorm), [query, key, value]);
    const intermediate = smoothingFactors(estimatedActivations(attentionNorm), [layer.intermediate]);
    return {
      ...layer,
      query: multiplyRows(query, attention),
      key: multiplyRows(key, attention),
      value: multiplyRows(value, attention),
      intermediate: multiplyRows(layer.intermediate, intermediate),
      attentionInputScale: attention.map((factor) => 1 / factor),
      intermediateInputScale: intermediate.map((factor) => 1 / factor),
    };
  });
}

function estimatedActivations({ gain, bias }: Norm): number[] {
  const estimates = Array.from(
    gain,
    (value, channel) => GAIN_SHARE * Math.abs(value) + Math.abs(bias[channel]!),
  );
  const floor = Math.max(...estimates) * MIN_ACTIVATION;
  return estimates.map((estimate) => Math.max(estimate, floor));
}

/**
 * Returns one factor per input channel. The input is divided by it, the row of the weights multiplied by it.
 * s = activation^alpha / weight^(1-alpha), with the maximum magnitude of each. Factors are rounded to 8 bits
 * of fraction, so that last-bit differences of `Math.pow` between machines cannot change the file.
 *
 * @param activationMax maximum magnitude per input channel over the calibration sentences
 * @param readers every layer that reads this input
 */
export function smoothingFactors(activationMax: readonly number[], readers: readonly Dense[]): Float32Array {
  return Float32Array.from(activationMax, (activation, channel) =>
    roundFraction(smoothingFactor(activation, Math.max(...readers.map((reader) => rowMax(reader, channel))))),
  );
}

/**
 * Returns the factor of one channel before rounding; 1 for a channel that is always 0 or has only zero
 * weights.
 */
export function smoothingFactor(activationMax: number, weightMax: number): number {
  if (activationMax === 0 || weightMax === 0) return 1;
  return activationMax ** SMOOTHING_ALPHA / weightMax ** (1 - SMOOTHING_ALPHA);
}

/** Returns the layer for an input divided by `factors`. */
export function multiplyRows(dense: Dense, factors: Float32Array): Dense {
  const weight = dense.weight.map((value, i) => value * factors[Math.floor(i / dense.outputs)]!);
  return { ...dense, weight };
}

/** Returns the layer with its output divided by `factors`. */
export function divideColumns(dense: Dense, factors: Float32Array): Dense {
  const weight = dense.weight.map((value, i) => value / factors[i % dense.outputs]!);
  return { ...dense, weight, bias: dense.bias.map((value, i) => value / factors[i]!) };
}

/** Returns the maximum magnitude of the weights that read one input channel. */
export function rowMax({ outputs, weight }: Dense, row: number): number {
  let largest = 0;
  for (let i = row * outputs; i < (row + 1) * outputs; i++) largest = Math.max(largest, Math.abs(weight[i]!));
  return largest;
}

function roundFraction(value: number): number {
  const unit = 2 ** (Math.floor(Math.log2(value)) - 8);
  return Math.round(value / unit) * unit;
}
