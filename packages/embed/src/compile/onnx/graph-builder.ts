/** Collects nodes and constants and writes them as one ONNX file; the BERT graph is built with it. */
import { ATTRIBUTE_TYPE, DATA_TYPE, type DataType, encodeModel } from './schema.ts';

/** The name of a tensor in the graph. */
export type Value = string;

/** A fixed size, or the name of a size that is known at run time. */
export type Dim = number | string;

/** An attribute is written as ONNX's `float` unless it is an integer in `{ int }` or a list of integers. */
export type Attributes = Record<string, { float: number } | { int: number } | { ints: number[] }>;

type Constant = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** Operators of the default domain at opset 17 (LayerNormalization's first) and ONNX Runtime's own at 1. */
const OPSETS = [
  { domain: '', version: 17 },
  { domain: 'com.microsoft', version: 1 },
];

/** ONNX's IR version that belongs to opset 17. */
const IR_VERSION = 8;

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

  /** Declares that `value` is an output of the graph. */
  output(value: Value, type: DataType, dims: readonly Dim[]): void {
    this.#outputs.push(valueInfo(value, type, dims));
  }

  /** Stores a tensor in the file; its type follows from the array. */
  constant(name: string, values: Constant, dims: readonly number[]): Value {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push({ name, dims, dataType: DATA_TYPE[dataTypeOf(values)], rawData });
    return name;
  }

  /** Adds one operator with one output, which takes the node's name. An input '' is an omitted optional input. */
  node(name: string, operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.split(name, operator, inputs, [name], attributes)[0]!;
  }

  /** Adds one operator with several outputs. */
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

  /** The ONNX file: the same calls give the same bytes. */
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
  if (values instanceof Int32Array) return 'int32';
  return 'int64';
}
