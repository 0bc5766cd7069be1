/**
 * Tests the steps that prepare weights for int8: none may change what the layer computes, except for
 * rounding.
 */

import { type Dense, type EncoderLayer, quantizeColumns, quantizeRows } from '@embedmill/engine';
import { describe, expect, test } from 'vitest';
import { splitOutliers } from '../../../packages/embed/src/compile/quantize/outliers.ts';
import {
  divideColumns,
  multiplyRows,
  smoothByNorms,
  smoothingFactors,
} from '../../../packages/embed/src/compile/quantize/smoothing.ts';
import type { BertWeights } from '../../../packages/embed/src/compile/weights/bert-weights.ts';
import { weightLimitFor } from '../../../packages/embed/src/prepare/cpu.ts';
import { SMALL } from './small-bert.ts';

/** Returns a layer with fixed irregular weights. */
function layer(inputs: number, outputs: number, seed: number): Dense {
  const number = (i: number) => Math.sin(seed + i * 12.9898);
  return {
    inputs,
    outputs,
    weight: Float32Array.from({ length: inputs * outputs }, (_, i) => number(i)),
    bias: Float32Array.from({ length: outputs }, (_, i) => number(-i)),
  };
}

function apply({ inputs, outputs, weight, bias }: Dense, input: ArrayLike<number>): number[] {
  return Array.from(bias, (sum, column) => {
    let total = sum;
    for (let row = 0; row < inputs; row++) total += input[row]! * weight[row * outputs + column]!;
    return total;
  });
}

const closeTo = (expected: number[]) => expected.map((value) => expect.closeTo(value, 4));

describe('smoothing', () => {
  const input = [0.5, -20, 3, 0];
  const activationMax = [0.6, 25, 3.5, 0];

  test('divides the input and multiplies the weights by the same factors', () => {
    const dense = layer(4, 3, 1);
    const factors = smoothingFactors(activationMax, [dense]);
    const divided = input.map((value, i) => value / factors[i]!);
    expect(apply(multiplyRows(dense, factors), divided)).toEqual(closeTo(apply(dense, input)));
    expect(Math.max(...divided.map(Math.abs))).toBeLessThan(10);
  });

  test('leaves a channel that is always 0 unchanged', () => {
    expect(smoothingFactors(activationMax, [layer(4, 3, 1)])[3]).toBe(1);
  });

  test('can divide the output of the previous layer instead', () => {
    const dense = layer(4, 3, 2);
    const factors = Float32Array.of(2, 4, 0.5);
    const expected = apply(dense, input).map((value, i) => value / factors[i]!);
    expect(apply(divideColumns(dense, factors), input)).toEqual(closeTo(expected));
  });
});

describe('smoothing by layer normalizations', () => {
  const hidden = 4;
  const norm = (seed: number, large: number) => {
    const values = (first: number) =>
      Float32Array.from({ length: hidden }, (_, i) => (i === large ? 9 : Math.sin(first + i)));
    return { gain: values(seed), bias: values(seed + 1) };
  };
  const encoderLayer = (seed: number): EncoderLayer => ({
    query: layer(hidden, hidden, seed),
    key: layer(hidden, hidden, seed + 1),
    value: layer(hidden, hidden, seed + 2),
    attentionOutput: layer(hidden, hidden, seed + 3),
    attentionNorm: norm(seed, 1),
    intermediate: layer(hidden, 6, seed + 4),
    output: layer(6, hidden, seed + 5),
    outputNorm: norm(seed + 1, 2),
  });
  const weights: BertWeights = {
    config: SMALL,
    words: { shape: [1, hidden], values: new Float32Array(hidden) },
    positions: { shape: [1, hidden], values: new Float32Array(hidden) },
    embeddingNorm: norm(7, 3),
    layers: [encoderLayer(10), encoderLayer(20)],
  };
  const smoothed = smoothByNorms(weights);
  const input = [0.5, -2, 3, 1];

  test('changes no result', () => {
    for (const [i, { query, value, intermediate, output }] of weights.layers.entries()) {
      const after = smoothed[i]!;
      const attention = input.map((x, channel) => x * after.attentionInputScale![channel]!);
      const middle = input.map((x, channel) => x * after.intermediateInputScale![channel]!);
      expect(apply(after.query, attention)).toEqual(closeTo(apply(query, input)));
      expect(apply(after.value, attention)).toEqual(closeTo(apply(value, input)));
      expect(apply(after.intermediate, middle)).toEqual(closeTo(apply(intermediate, input)));
      expect(after.output).toBe(output);
    }
  });

  test('shrinks the channels that the normalization in front makes large', () => {
    const smallest = (scale: Float32Array | undefined) => scale!.indexOf(Math.min(...scale!));
    expect(smoothed.map((each) => smallest(each.attentionInputScale))).toEqual([3, 2]);
    expect(smoothed.map((each) => smallest(each.intermediateInputScale))).toEqual([1, 1]);
  });

  test('has bounded factors for channels that are always 0', () => {
    const empty = { gain: Float32Array.of(0, 3, 0, 0), bias: new Float32Array(hidden) };
    const [first] = smoothByNorms({ ...weights, embeddingNorm: empty });
    for (const factor of first!.attentionInputScale!) expect(factor).toBeLessThan(1024);
  });
});

describe('splitting outliers', () => {
  test('computes the largest channel several times and reads the same sum', () => {
    const [writer, reader] = [layer(4, 6, 3), layer(6, 2, 4)];
    const split = splitOutliers(writer, reader, [1, 30, 2, 1, 8, 1], 5);
    expect(split.activationMax.slice(6)).toContain(30);
    expect(split.activationMax).toHaveLength(11);
    const input = [1, -2, 0.5, 3];
    expect(apply(split.reader, apply(split.writer, input))).toEqual(
      closeTo(apply(reader, apply(writer, input))),
    );
  });
});

describe('int8 weights', () => {
  test.each([127, 63] as const)('stay within %d and within half a step of the real values', (limit) => {
    const dense = layer(16, 5, 5);
    const { integers, scales } = quantizeColumns(dense.weight, dense.outputs, limit);
    expect(Math.max(...integers.map(Math.abs))).toBe(limit);
    dense.weight.forEach((real, i) => {
      const scale = scales[i % 5]!;
      expect(Math.abs(integers[i]! * scale - real)).toBeLessThanOrEqual(scale * 0.5001);
    });
  });

  test('have one scale per row in a table, and rows of zeros stay zeros', () => {
    const { integers, scales } = quantizeRows(Float32Array.of(1, -0.25, 0, 0, 100, 30), 2);
    expect([...integers]).toEqual([127, -32, 0, 0, 127, 38]);
    expect([...scales]).toEqual([Math.fround(1 / 127), 0, Math.fround(100 / 127)]);
  });

  test('use 8 bits only where products cannot saturate', () => {
    expect(weightLimitFor('x64', 'flags\t\t: fpu avx2 avx512f avx512_vnni\n')).toBe(127);
    expect(weightLimitFor('x64', 'flags\t\t: fpu avx2 avx_vnni\n')).toBe(127);
    expect(weightLimitFor('x64', 'flags\t\t: fpu avx2 avx512f\n')).toBe(63);
    expect(weightLimitFor('x64', '')).toBe(63);
    expect(weightLimitFor('arm64', '')).toBe(127);
  });
});
