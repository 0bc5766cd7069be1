/** Reads and writes the table of a static model: a safetensors file as model2vec stores it. */

import { readFile } from 'node:fs/promises';
import { halvesOf } from '@embedmill/contract';
import { Safetensors } from '../compile/weights/safetensors.ts';
import { EmbedError } from '../errors.ts';

/** Token vectors of a static model. */
export interface StaticTable {
  /** Floats per vector. */
  dim: number;
  /** Rows of `dim` floats. */
  rows: Float32Array;
  /** Row of each token id; undefined if it is the id itself. */
  rowOf: Int32Array | undefined;
  /** Weight of each token id; undefined if the rows contain it. */
  weights: Float32Array | undefined;
}

/**
 * Reads a table: tensor `embeddings` of rows × dim (F32, F16 or BF16), optionally `weights` of one number and `mapping`
 * of one row number per token id.
 * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
 */
export async function readStaticTable(path: string): Promise<StaticTable> {
  const file = Safetensors.parse(
    path,
    await readFile(path).catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the weights "${path}"`, { cause });
    }),
  );
  const invalid = (why: string) => new EmbedError('MODEL_INVALID', `"${path}" ${why}`);
  const shape = file.shapeOf('embeddings');
  const [count = 0, dim = 0] = shape ?? [];
  if (shape?.length !== 2 || count < 1 || dim < 1) {
    throw invalid(
      `has the tensor "embeddings" of shape ${shape?.join('x') ?? 'none'}, expected rows x dimensions`,
    );
  }
  const weightShape = file.shapeOf('weights');
  const rowOf = file.shapeOf('mapping') === undefined ? undefined : file.integers('mapping');
  const wrong = rowOf?.find((row) => row < 0 || row >= count);
  if (wrong !== undefined) throw invalid(`maps a token to row ${wrong}, expected 0 to ${count - 1}`);
  const tokens = rowOf?.length ?? count;
  const weights = weightShape === undefined ? undefined : file.tensor('weights', [tokens]).values;
  return { dim, rows: file.tensor('embeddings', [count, dim]).values, rowOf, weights };
}

/** Returns a safetensors file with rows × `dim` halves as the tensor `embeddings`. */
export function staticTableFile(rows: Float32Array, dim: number): Uint8Array {
  const halves = halvesOf(rows);
  const header = JSON.stringify({
    embeddings: { dtype: 'F16', shape: [rows.length / dim, dim], data_offsets: [0, halves.byteLength] },
  });
  // The header is padded with spaces, so that the tensor starts at a multiple of 8 bytes.
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, Buffer.from(halves.buffer)]);
}
