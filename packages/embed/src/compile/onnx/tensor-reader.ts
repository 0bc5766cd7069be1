/** Reads the values of a tensor of an ONNX file, stored in the message or in a file of external data. */

import { floatsOfHalves } from '@embedmill/contract';
import { DATA_TYPE, type DataType, type TensorProto } from './schema.ts';

/** A constant tensor in row-major order. */
export type OnnxTensor = { shape: readonly number[] } & (
  | { kind: 'float'; values: Float32Array }
  | { kind: 'integer'; values: Int8Array | Uint8Array | Int32Array | Float64Array }
);

const BYTES: Record<DataType, number> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
  bfloat16: 2,
};

/**
 * Returns the values of a tensor. Floats become float32, which holds every float16 and bfloat16; int64 becomes
 * float64, exact up to 2^53.
 * @param external content of the tensor's file of external data; undefined if it has none
 * @throws {RangeError} with the reason, if type, shape and size do not match
 */
export function readTensor(tensor: TensorProto, external: Uint8Array | undefined): OnnxTensor {
  const type = (Object.keys(DATA_TYPE) as DataType[]).find((name) => DATA_TYPE[name] === tensor.dataType);
  if (type === undefined) {
    throw new RangeError(
      `has element type ${tensor.dataType}, expected one of ${Object.keys(DATA_TYPE).join(', ')}`,
    );
  }
  const shape = tensor.dims.map(Number);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(`has shape ${shape.join('x')}, expected sizes of at least 0`);
  }
  const size = shape.reduce((product, each) => product * each, 1);
  const expectSize = (given: number) => {
    if (given !== size) throw new RangeError(`has ${given} values, expected ${size} for ${shape.join('x')}`);
  };
  const raw = tensor.dataLocation === 1 ? externalBytes(tensor, external) : tensor.rawData;
  if (raw.length === 0 && size > 0) {
    const { floatData, int32Data, int64Data } = tensor;
    if (type === 'float32') {
      expectSize(floatData.length);
      return { shape, kind: 'float', values: Float32Array.from(floatData) };
    }
    if (type === 'int64') {
      expectSize(int64Data.length);
      return { shape, kind: 'integer', values: Float64Array.from(int64Data, Number) };
    }
    expectSize(int32Data.length);
    return ofInt32Data(type, shape, int32Data);
  }
  expectSize(raw.length / BYTES[type]);
  return ofBytes(type, shape, raw);
}

/** Offset and length in the external file, which ONNX stores as text. */
function externalBytes({ externalData }: TensorProto, file: Uint8Array | undefined): Uint8Array {
  const field = (key: string, unset: number) =>
    Number(externalData.find((entry) => entry.key === key)?.value ?? unset);
  const available = file?.byteLength ?? 0;
  const offset = field('offset', 0);
  const length = field('length', available - offset);
  const isInside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= available;
  if (file === undefined || !isInside) {
    throw new RangeError(`claims bytes ${offset} to ${offset + length} of external data with ${available}`);
  }
  return file.subarray(offset, offset + length);
}

/** Small types are stored in int32 fields, one value each; float16 as its bits. */
function ofInt32Data(type: DataType, shape: number[], data: readonly number[]): OnnxTensor {
  if (type === 'float16' || type === 'bfloat16') {
    return { shape, kind: 'float', values: floatsOf(type, Uint16Array.from(data)) };
  }
  const array = type === 'uint8' ? Uint8Array : type === 'int8' ? Int8Array : Int32Array;
  return { shape, kind: 'integer', values: array.from(data) };
}

function ofBytes(type: DataType, shape: number[], raw: Uint8Array): OnnxTensor {
  if (type === 'uint8') return { shape, kind: 'integer', values: raw };
  if (type === 'int8') {
    return { shape, kind: 'integer', values: new Int8Array(raw.buffer, raw.byteOffset, raw.byteLength) };
  }
  // Copied, because a tensor may start at an odd byte of the file, and typed arrays must be aligned.
  const { buffer } = Uint8Array.from(raw);
  if (type === 'int32') return { shape, kind: 'integer', values: new Int32Array(buffer) };
  if (type === 'int64') {
    return { shape, kind: 'integer', values: Float64Array.from(new BigInt64Array(buffer), Number) };
  }
  const values = type === 'float32' ? new Float32Array(buffer) : floatsOf(type, new Uint16Array(buffer));
  return { shape, kind: 'float', values };
}

function floatsOf(type: 'float16' | 'bfloat16', bits: Uint16Array): Float32Array {
  if (type === 'float16') return floatsOfHalves(bits);
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}
