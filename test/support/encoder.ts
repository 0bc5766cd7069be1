/** Encoders with seeded random weights for the tests of the exact engine, their weight files and token ids. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Dense, Encoder, EncoderLayer, Norm, Pack } from '@embedmill/engine';
import { EngineError, kernels, packWeights } from '@embedmill/engine';
import { temporaryFolder } from './folder.ts';
import { seededRandom } from './seeded-random.ts';

export interface EncoderShape {
  layers: number;
  width: number;
  heads: number;
  inner: number;
  vocabulary: number;
  positions: number;
  pooling?: 'mean' | 'cls';
}

/** A shape that even the scalar kernel computes fast. */
export const SMALL_SHAPE: EncoderShape = {
  layers: 2,
  width: 64,
  heads: 2,
  inner: 144,
  vocabulary: 1000,
  positions: 256,
};

/** The layers of all-MiniLM-L6-v2 with split channels; its vocabulary is shorter. */
export const MINILM_SHAPE: EncoderShape = {
  layers: 6,
  width: 384,
  heads: 12,
  inner: 1552,
  vocabulary: 1000,
  positions: 256,
};

/** The same shape and seed give the same weights on every machine: only sums and products make them. */
export function randomEncoder(shape: EncoderShape, seed = 1): Encoder {
  const random = seededRandom(seed);
  // About normal: the sum of four uniform numbers.
  const normal = () => (random() + random() + random() + random() - 2) * 1.7;
  const tensor = (size: number, spread: number, middle = 0) =>
    Float32Array.from({ length: size }, () => middle + spread * normal());
  const dense = (inputs: number, outputs: number): Dense => ({
    inputs,
    outputs,
    weight: tensor(inputs * outputs, 1 / Math.sqrt(inputs)),
    bias: tensor(outputs, 0.1),
  });
  const { width, inner } = shape;
  const norm = (): Norm => ({ gain: tensor(width, 0.2, 1), bias: tensor(width, 0.1) });
  const scale = (size: number) => Float32Array.from({ length: size }, () => 0.5 + random());
  const layer = (): EncoderLayer => ({
    query: dense(width, width),
    key: dense(width, width),
    value: dense(width, width),
    attentionOutput: dense(width, width),
    attentionNorm: norm(),
    intermediate: dense(width, inner),
    output: dense(inner, width),
    outputNorm: norm(),
    attentionInputScale: scale(width),
    intermediateInputScale: scale(width),
    outputInputScale: scale(inner),
  });
  return {
    width,
    heads: shape.heads,
    layerNormEpsilon: 1e-12,
    pooling: shape.pooling ?? 'mean',
    words: tensor(shape.vocabulary * width, 0.5),
    positions: tensor(shape.positions * width, 0.2),
    embeddingNorm: norm(),
    layers: Array.from({ length: shape.layers }, layer),
  };
}

/** Writes bytes to a file of a folder that ends with the test; returns its path. */
export function temporaryFile(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** The weight file of a random encoder. */
export function randomWeightFile(shape: EncoderShape, seed = 1): string {
  return temporaryFile('weights.bin', packWeights(randomEncoder(shape, seed)));
}

/** Texts as token ids: one of each length, with ids of the whole vocabulary. */
export function randomTexts(lengths: readonly number[], vocabulary: number, seed = 1): Int32Array[] {
  const random = seededRandom(seed);
  return lengths.map((length) => Int32Array.from({ length }, () => Math.floor(random() * vocabulary)));
}

/** Several texts as one pack. */
export function packOf(texts: readonly Int32Array[]): Pack {
  return {
    ids: Int32Array.from(texts.flatMap((ids) => [...ids])),
    lengths: Int32Array.from(texts, (ids) => ids.length),
  };
}

/** The kernels that this machine can run; none where the engine was not built. */
export function availableKernels(): string[] {
  try {
    return kernels()
      .filter((kernel) => kernel.available)
      .map((kernel) => kernel.name);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'engine-unavailable') return [];
    throw error;
  }
}

/** Gives a changed weight file the checksum that it should have. */
export function signWeights(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset);
  view.setUint32(60, crc32(file.subarray(64), crc32(file.subarray(0, 60))), true);
  return file;
}
