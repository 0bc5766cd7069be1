/**
 * SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): moves the spread of a linear layer's input channels into its
 * weights, because the input has one int8 scale for all channels and the weights have one per column.
 */
import type { Dense } from '../weights/bert-weights.ts';

/** The share of the spread that moves; searched, see docs/decisions/0011-int8-smoothing-and-splitting.md. */
const SMOOTHING_ALPHA = 0.65;

/**
 * One factor per input channel: the input is divided by it, the weights' row multiplied.
 * s = activation^alpha / weight^(1-alpha), with the largest magnitude of each.
 * Rounded to 8 bits of fraction, so that a last-bit difference of `Math.pow` between machines cannot change the file.
 *
 * @param activationMax largest magnitude per input channel over the calibration sentences
 * @param readers every layer that reads this input
 */
export function smoothingFactors(activationMax: readonly number[], readers: readonly Dense[]): Float32Array {
  return Float32Array.from(activationMax, (activation, channel) =>
    roundFraction(smoothingFactor(activation, Math.max(...readers.map((reader) => rowMax(reader, channel))))),
  );
}

/** The factor of one channel, before rounding; 1 for a channel that never fires or that nobody reads. */
export function smoothingFactor(activationMax: number, weightMax: number): number {
  if (activationMax === 0 || weightMax === 0) return 1;
  return activationMax ** SMOOTHING_ALPHA / weightMax ** (1 - SMOOTHING_ALPHA);
}

/** The layer for an input that was divided by `factors`. */
export function multiplyRows(dense: Dense, factors: Float32Array): Dense {
  const weight = dense.weight.map((value, i) => value * factors[Math.floor(i / dense.outputs)]!);
  return { ...dense, weight };
}

/** The layer whose output is divided by `factors`. */
export function divideColumns(dense: Dense, factors: Float32Array): Dense {
  const weight = dense.weight.map((value, i) => value / factors[i % dense.outputs]!);
  return { ...dense, weight, bias: dense.bias.map((value, i) => value / factors[i]!) };
}

/** Largest magnitude of the weights that read one input channel. */
export function rowMax({ outputs, weight }: Dense, row: number): number {
  let largest = 0;
  for (let i = row * outputs; i < (row + 1) * outputs; i++) largest = Math.max(largest, Math.abs(weight[i]!));
  return largest;
}

function roundFraction(value: number): number {
  const unit = 2 ** (Math.floor(Math.log2(value)) - 8);
  return Math.round(value / unit) * unit;
}
