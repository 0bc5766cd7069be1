/**
 * Splits the few channels of a feed-forward layer whose activations dwarf all others (Zhao et al. 2019, "Improving
 * neural network quantization without retraining using outlier channel splitting", arXiv 1901.09504), for the int8
 * graph: one channel of 25 among 1 536 of at most 6 would otherwise stretch the scale that all of them share.
 *
 * A channel that is computed n times and read n times with weights of 1/n adds up to the same output; the smaller
 * weights let smoothing take more of its activation. In all-MiniLM-L6-v2 this more than halves the error of int8
 * (docs/decisions/0011-int8-smoothing-and-splitting.md), for one more tile of columns.
 */
import type { Dense } from '../weights/bert-weights.ts';
import { rowMax, smoothingFactor } from './smoothing.ts';

/** Channels added per layer: the width of one column tile of ONNX Runtime's int8 product. */
export const EXTRA_CHANNELS = 16;

export interface SplitChannels {
  /** Computes the channels: more output columns. */
  writer: Dense;
  /** Reads them: more input rows. */
  reader: Dense;
  /** Per channel after the split. */
  activationMax: number[];
}

/** Gives `extra` copies one by one to the channel that is largest after smoothing. */
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
