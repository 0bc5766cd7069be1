/** Collects nodes and constants and encodes them as an ONNX file; the BERT graph is built with it. */

import { ATTRIBUTE_TYPE, DATA_TYPE, type DataType, encodeModel } from './schema.ts';

/** Name of a tensor in the graph. */
export type Value = string;

/** A fixed size, or the name of a size that is only known at run time. */
export type Dim = number | string;

/** Attributes of a node by name: a float, an integer or a list of integers. */
export type Attributes = Record<string, { float: number } | { int: number } | { ints: number[] }>;

/** `Uint16Array` holds the bits of float16. */
type Constant = Float32Array | Uint8Array | Int8Array | Uint16Array | Int32Array | BigInt64Array;

/**
 * Operators of the default domain at opset 17 (the first with LayerNormalization) and of ONNX Runtime at 1.
 */
const OPSETS = [
  { domain: '', version: 17 },
  { domain: 'com.microsoft', version: 1 },
];

/** ONNX IR version that belongs to opset 17. */
const IR_VERSION = 8;

/** Builds one ONNX graph; values are referenced by name. */
export class GraphBuilder {
  readonly #nodes: object[] = [];
  readonly #constants: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];

  /** Declares an input of the graph. */
  input(name: string, type: DataType, dims: readonly Dim[]): Value {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares `value` as an output of the graph. */
  output(value: Value, type: DataType, dims: readonly Dim[]): void {
    this.#outputs.push(valueInfo(value, type, dims));
  }

  /** Stores a tensor in the file; the element type follows from the array type. */
  constant(name: string, values: Constant, dims: readonly number[]): Value {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push({ name, dims, dataType: DATA_TYPE[dataTypeOf(values)], rawData });
    return name;
  }

  /** Adds an operator with one output, named like the node. The input '' omits an optional input. */
  node(name: string, operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.split(name, operator, inputs, [name], attributes)[0]!;
  }

  /** Adds an operator with several outputs and returns their names. */
  split<const Names extends readonly string[]>(
    name: string,
    operator: string,
    inputs: readonly Value[],
    outputs: Names,
    attributes: Attributes = {},
  ): Names {
    const [domain, opType] = operator.includes(':') ? operator.split(':') : ['', operator];
    const attribute = Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value));
    this.#nodes.push({ name, domain, opType, input: inputs, output: outputs, attribute });
    return outputs;
  }

  /** Encodes the ONNX file; equal calls give equal bytes. */
  encode(name: string): Uint8Array {
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'embedmill',
      opsetImport: OPSETS,
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: this.#outputs,
      },
    });
  }
}

function encodeAttribute(name: string, value: Attributes[string]): object {
  if ('float' in value) return { name, f: value.float, type: ATTRIBUTE_TYPE.float };
  if ('int' in value) return { name, i: value.int, type: ATTRIBUTE_TYPE.int };
  return { name, ints: value.ints, type: ATTRIBUTE_TYPE.ints };
}

function valueInfo(name: string, type: DataType, dims: readonly Dim[]): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

function dataTypeOf(values: Constant): DataType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Int8Array) return 'int8';
  if (values instanceof Uint8Array) return 'uint8';
  if (values instanceof Uint16Array) return 'float16';
  if (values instanceof Int32Array) return 'int32';
  return 'int64';
}
