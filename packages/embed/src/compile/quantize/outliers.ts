/**
 * Splits the few channels of a feed-forward layer whose activations are far larger than all others, for the
 * int8 graph.
 *
 * The method is outlier channel splitting (Zhao et al. 2019, "Improving neural network quantization without
 * retraining using outlier channel splitting", arXiv 1901.09504). Otherwise one channel with activations up
 * to 25 would set the scale of 1,536 channels that reach at most 6.
 *
 * A channel that is computed n times and read n times with 1/n of its weights adds up to the same output. The
 * smaller weights let smoothing absorb more of its activation. In all-MiniLM-L6-v2 this more than halves the
 * error of int8 for one more tile of columns (docs/decisions/0011-int8-smoothing-and-splitting.md).
 */

import type { Dense } from '@embedmill/engine';
import { rowMax, smoothingFactor } from './smoothing.ts';

/** Channels added per layer: the width of one column tile in ONNX Runtime's int8 matrix product. */
export const EXTRA_CHANNELS = 16;

/** Two adjacent layers after the split of their shared channels. */
export interface SplitChannels {
  /** Layer that computes the channels; it has more output columns than before. */
  writer: Dense;
  /** Layer that reads the channels; it has more input rows than before. */
  reader: Dense;
  /** Maximum activation per channel after the split. */
  activationMax: number[];
}

/** Adds `extra` copies, each of the channel that is largest after smoothing at that point. */
export function splitOutliers(
  writer: Dense,
  reader: Dense,
  activationMax: readonly number[],
  extra = EXTRA_CHANNELS,
): SplitChannels {
  const weightMax = activationMax.map((_, channel) => rowMax(reader, channel));
  const copies = activationMax.map(() => 1);
  const smoothed = activationMax.map(
    (activation, channel) => activation / smoothingFactor(activation, weightMax[channel]!),
  );
  const sources = activationMax.map((_, channel) => channel);
  for (let i = 0; i < extra; i++) {
    const largest = smoothed.indexOf(Math.max(...smoothed));
    copies[largest]!++;
    sources.push(largest);
    const activation = activationMax[largest]!;
    smoothed[largest] = activation / smoothingFactor(activation, weightMax[largest]! / copies[largest]!);
  }
  return {
    writer: pickColumns(writer, sources),
    reader: pickRows(reader, sources, copies),
    activationMax: sources.map((channel) => activationMax[channel]!),
  };
}

function pickColumns({ inputs, outputs, weight, bias }: Dense, columns: readonly number[]): Dense {
  const picked = new Float32Array(inputs * columns.length);
  for (let row = 0; row < inputs; row++) {
    for (let i = 0; i < columns.length; i++) {
      picked[row * columns.length + i] = weight[row * outputs + columns[i]!]!;
    }
  }
  return {
    inputs,
    outputs: columns.length,
    weight: picked,
    bias: Float32Array.from(columns, (column) => bias[column]!),
  };
}

function pickRows(
  { outputs, weight, bias }: Dense,
  rows: readonly number[],
  shares: readonly number[],
): Dense {
  const picked = new Float32Array(rows.length * outputs);
  rows.forEach((row, i) => {
    for (let column = 0; column < outputs; column++) {
      picked[i * outputs + column] = weight[row * outputs + column]! / shares[row]!;
    }
  });
  return { inputs: rows.length, outputs, weight: picked, bias };
}
