/** Symmetric int8 quantisation of weights. */

/** Signed integers with one scale per row or column: `real = scale × integer`. */
export interface Quantized {
  integers: Int8Array;
  scales: Float32Array;
}

/**
 * One scale per column, so that a large weight only coarsens its own column.
 *
 * @param weight inputs × outputs, row-major
 * @param limit maximum magnitude of the integers, up to 127
 */
export function quantizeColumns(weight: Float32Array, outputs: number, limit = 127): Quantized {
  const scales = new Float32Array(outputs);
  for (let i = 0, column = 0; i < weight.length; i++) {
    scales[column] = Math.max(scales[column]!, Math.abs(weight[i]!));
    if (++column === outputs) column = 0;
  }
  for (let column = 0; column < outputs; column++) scales[column]! /= limit;
  const integers = new Int8Array(weight.length);
  for (let i = 0, column = 0; i < weight.length; i++) {
    integers[i] = divideRounded(weight[i]!, scales[column]!);
    if (++column === outputs) column = 0;
  }
  return { integers, scales };
}

/** One scale per row: for an embedding table, whose rows are looked up and scaled back. */
export function quantizeRows(values: Float32Array, width: number): Quantized {
  const scales = new Float32Array(values.length / width);
  const integers = new Int8Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    const end = (row + 1) * width;
    let max = 0;
    for (let i = row * width; i < end; i++) max = Math.max(max, Math.abs(values[i]!));
    scales[row] = max / 127;
    for (let i = row * width; i < end; i++) integers[i] = divideRounded(values[i]!, scales[row]!);
  }
  return { integers, scales };
}

/** A row or column of zeros has scale 0. */
function divideRounded(value: number, scale: number): number {
  return scale === 0 ? 0 : Math.round(value / scale);
}
