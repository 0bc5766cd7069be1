/** A BERT encoder in double precision and plain loops: what the exact engine approximates. */

import type { Dense, Encoder, Norm } from '@embedmill/engine';

/** The vector of one text, of length 1. */
export function referenceVector(encoder: Encoder, ids: Int32Array): number[] {
  const { width, heads } = encoder;
  const size = width / heads;
  let rows = Array.from(ids, (id, position) =>
    normalised(
      Array.from(
        { length: width },
        (_, i) => encoder.words[id * width + i]! + encoder.positions[position * width + i]!,
      ),
      encoder.embeddingNorm,
      encoder.layerNormEpsilon,
    ),
  );
  for (const layer of encoder.layers) {
    const input = rows.map((row) => scaled(row, layer.attentionInputScale));
    const query = input.map((row) => linear(row, layer.query));
    const key = input.map((row) => linear(row, layer.key));
    const value = input.map((row) => linear(row, layer.value));
    const context = rows.map(() => new Array<number>(width).fill(0));
    for (let head = 0; head < heads; head++) {
      const channels = Array.from({ length: size }, (_, i) => head * size + i);
      for (const [i, q] of query.entries()) {
        const scores = key.map((k) => sum(channels.map((c) => q[c]! * k[c]!)) / Math.sqrt(size));
        const max = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - max));
        const total = sum(weights);
        for (const c of channels) context[i]![c] = sum(weights.map((w, j) => w * value[j]![c]!)) / total;
      }
    }
    rows = rows.map((row, i) => {
      const attended = normalised(
        added(row, linear(context[i]!, layer.attentionOutput)),
        layer.attentionNorm,
        encoder.layerNormEpsilon,
      );
      const wide = linear(scaled(attended, layer.intermediateInputScale), layer.intermediate).map(gelu);
      const narrow = linear(scaled(wide, layer.outputInputScale), layer.output);
      return normalised(added(attended, narrow), layer.outputNorm, encoder.layerNormEpsilon);
    });
  }
  const pooled = encoder.pooling === 'cls' ? rows[0]! : rows.reduce(added);
  const length = Math.sqrt(sum(pooled.map((v) => v * v)));
  return pooled.map((v) => v / length);
}

function linear(row: readonly number[], { inputs, outputs, weight, bias }: Dense): number[] {
  const result = Array.from(bias);
  for (let k = 0; k < inputs; k++) {
    for (let column = 0; column < outputs; column++) {
      result[column]! += row[k]! * weight[k * outputs + column]!;
    }
  }
  return result;
}

function normalised(row: readonly number[], norm: Norm, epsilon: number): number[] {
  const mean = sum(row) / row.length;
  const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length;
  return row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * norm.gain[i]! + norm.bias[i]!);
}

function scaled(row: readonly number[], scale: Float32Array | undefined): number[] {
  return row.map((v, i) => v * (scale?.[i] ?? 1));
}

function added(a: readonly number[], b: readonly number[]): number[] {
  return a.map((v, i) => v + b[i]!);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** x times the normal distribution; the error function by its series, to double precision for the |x| of a test. */
function gelu(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  let term = z;
  let series = z;
  for (let n = 1; n < 100; n++) {
    term *= (-z * z) / n;
    series += term / (2 * n + 1);
  }
  const erf = z > 4 ? 1 : (2 / Math.sqrt(Math.PI)) * series;
  return x * 0.5 * (1 + Math.sign(x) * erf);
}
