/** Symmetric int8 quantization of weight matrices, for the int8 graph. */

import type { Dense } from '../weights/bert-weights.ts';

/** Signed integers with one scale per column or row: `real = scale × integer`. */
export interface Quantized {
  integers: Int8Array;
  scales: Float32Array;
}

/** Maximum magnitude of a weight: 127 uses 8 bits, 63 uses 7. `prepare/cpu.ts` selects it by CPU. */
export type WeightLimit = 127 | 63;

/** Quantizes with one scale per output column, so that a large weight makes only its own column coarser. */
export function quantizeColumns({ inputs, outputs, weight }: Dense, limit: WeightLimit): Quantized {
  const scales = new Float32Array(outputs);
  for (let i = 0; i < weight.length; i++) {
    const column = i % outputs;
    scales[column] = Math.max(scales[column]!, Math.abs(weight[i]!));
  }
  for (let column = 0; column < outputs; column++) scales[column]! /= limit;
  const integers = new Int8Array(inputs * outputs);
  for (let i = 0; i < weight.length; i++) integers[i] = divideRounded(weight[i]!, scales[i % outputs]!);
  return { integers, scales };
}

/** Quantizes with one scale per row, for an embedding table whose rows are looked up and scaled back. */
export function quantizeRows(values: Float32Array, width: number): Quantized {
  const scales = new Float32Array(values.length / width);
  const integers = new Int8Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    const cells = values.subarray(row * width, (row + 1) * width);
    scales[row] = cells.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127;
    for (let i = 0; i < width; i++) integers[row * width + i] = divideRounded(cells[i]!, scales[row]!);
  }
  return { integers, scales };
}

/** Divides and rounds; returns 0 for scale 0, which a column or row of zeros has. */
function divideRounded(value: number, scale: number): number {
  return scale === 0 ? 0 : Math.round(value / scale);
}
