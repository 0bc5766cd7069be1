/** Reads a safetensors file into float32 tensors, for the model compiler. */

import { readFile } from 'node:fs/promises';
import { floatsOfHalves } from '@embedmill/contract';
import { EmbedError } from '../../errors.ts';

/** A dense tensor in row-major order. */
export interface FloatTensor {
  shape: readonly number[];
  values: Float32Array;
}

interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The tensors of one file, which is read whole; each tensor is converted on request. */
export class Safetensors {
  readonly #path: string;
  readonly #entries: Map<string, TensorEntry>;
  readonly #body: Uint8Array;

  private constructor(path: string, entries: Map<string, TensorEntry>, body: Uint8Array) {
    this.#path = path;
    this.#entries = entries;
    this.#body = body;
  }

  /**
   * Reads a file.
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async read(path: string): Promise<Safetensors> {
    const file = await readFile(path).catch((cause: unknown) => {
      throw new EmbedError('MODEL_NOT_FOUND', `cannot read the weights "${path}"`, { cause });
    });
    return Safetensors.parse(path, file);
  }

  /**
   * Parses the bytes of a file: a little-endian u64 with the length of the header, the header as JSON, then
   * the tensors.
   * @throws {EmbedError} `MODEL_INVALID`
   */
  static parse(path: string, file: Uint8Array): Safetensors {
    const invalid = (why: string, cause?: unknown) =>
      new EmbedError('MODEL_INVALID', `"${path}" is not a safetensors file: ${why}`, { cause });
    if (file.byteLength < 8) throw invalid(`it has ${file.byteLength} bytes, expected at least 8`);
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const headerBytes = Number(view.getBigUint64(0, true));
    if (headerBytes > file.byteLength - 8) {
      throw invalid(`its header claims ${headerBytes} bytes, but the file has ${file.byteLength}`);
    }
    let header: Record<string, TensorEntry>;
    try {
      header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes)));
    } catch (cause) {
      throw invalid('its header is not JSON', cause);
    }
    const body = file.subarray(8 + headerBytes);
    const entries = new Map(Object.entries(header).filter(([name]) => name !== '__metadata__'));
    for (const [name, entry] of entries) {
      const [start, end] = entry.data_offsets;
      if (start > end || end > body.byteLength) {
        throw invalid(`tensor "${name}" ends at byte ${end} of ${body.byteLength}`);
      }
    }
    return new Safetensors(path, entries, body);
  }

  /** Returns the shape of a tensor; undefined if there is none of this name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.#entries.get(name)?.shape;
  }

  /**
   * Returns the integers of a tensor of I32 or I64.
   * @throws {EmbedError} `MODEL_INVALID` if it is missing or has another element type
   */
  integers(name: string): Int32Array {
    const entry = this.#entries.get(name);
    const bytes = Uint8Array.from(entry === undefined ? [] : this.#body.subarray(...entry.data_offsets));
    if (entry?.dtype === 'I32' && bytes.byteLength % 4 === 0) return new Int32Array(bytes.buffer);
    if (entry?.dtype === 'I64' && bytes.byteLength % 8 === 0) {
      return Int32Array.from(new BigInt64Array(bytes.buffer), Number);
    }
    throw new EmbedError(
      'MODEL_INVALID',
      `tensor "${name}" of "${this.#path}" is ${entry?.dtype ?? 'missing'}, expected I32 or I64`,
    );
  }

  /**
   * Returns one tensor as float32. F16, BF16 and F32 are supported; every F16 and BF16 value is exact in
   * float32.
   * @throws {EmbedError} `MODEL_INVALID` if it is missing, has another element type, or a shape other than
   * `shape`
   */
  tensor(name: string, shape: readonly number[]): FloatTensor {
    const entry = this.#entries.get(name);
    if (!entry) throw new EmbedError('MODEL_INVALID', `"${this.#path}" has no tensor "${name}"`);
    if (entry.shape.join('x') !== shape.join('x')) {
      throw new EmbedError(
        'MODEL_INVALID',
        `tensor "${name}" of "${this.#path}" has shape ${entry.shape.join('x')}, expected ${shape.join('x')}`,
      );
    }
    // Copied, because a tensor may start at an odd byte of the file, and typed arrays must be aligned.
    const bytes = Uint8Array.from(this.#body.subarray(...entry.data_offsets));
    const values = toFloat32(entry.dtype, bytes);
    const expected = shape.reduce((product, size) => product * size, 1);
    if (values?.length !== expected) {
      throw new EmbedError(
        'MODEL_INVALID',
        `tensor "${name}" of "${this.#path}" is ${entry.dtype} in ${bytes.byteLength} bytes, expected ${expected} values of F32, F16 or BF16`,
      );
    }
    return { shape, values };
  }
}

function toFloat32(dtype: string, bytes: Uint8Array): Float32Array | undefined {
  if (dtype === 'F32' && bytes.byteLength % 4 === 0) return new Float32Array(bytes.buffer);
  if (bytes.byteLength % 2 !== 0) return undefined;
  if (dtype === 'F16') return floatsOfHalves(new Uint16Array(bytes.buffer));
  if (dtype === 'BF16') {
    const bits = Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16);
    return new Float32Array(bits.buffer);
  }
  return undefined;
}
