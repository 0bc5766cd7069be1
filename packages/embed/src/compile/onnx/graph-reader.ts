/** Reads the nodes and constants of an ONNX file, for the readers of weights that follow its graph. */

import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { EmbedError } from '../../errors.ts';
import {
  type AttributeProto,
  decodeModel,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from './schema.ts';
import { type OnnxTensor, readTensor } from './tensor-reader.ts';

/** A node of the graph. */
export interface OnnxNode {
  name: string;
  /** Operator; outside the default domain with it: `com.microsoft:Gelu`. */
  operator: string;
  /** Value names; '' for an optional input that is omitted. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: ReadonlyMap<string, AttributeProto>;
}

/** Bounds the time of a walk through a damaged file. BERT with 24 layers has at most 3,000 nodes. */
const MAX_NODES = 20_000;

/** The graph of one ONNX file. Every node comes after the nodes that it reads, so that walks end. */
export class OnnxGraph {
  readonly path: string;
  /** Version of the default operator set. */
  readonly opset: number;
  readonly outputs: readonly string[];
  readonly #inputs: ReadonlySet<string>;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #constants = new Map<string, TensorProto>();
  readonly #external: ReadonlyMap<string, Uint8Array>;

  private constructor(path: string, model: ModelProto, external: ReadonlyMap<string, Uint8Array>) {
    this.path = path;
    this.#external = external;
    const { node, initializer, input, output } = model.graph!;
    if (node.length > MAX_NODES) {
      throw this.invalid(`it has ${node.length} nodes, expected at most ${MAX_NODES}`);
    }
    const opset = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
    this.opset = Number(opset?.version ?? 1);
    this.outputs = output.map(({ name }) => name);
    this.#inputs = new Set(input.map(({ name }) => name));
    for (const tensor of initializer) this.#constants.set(tensor.name, tensor);
    for (const each of node) this.#add(each);
  }

  /**
   * Reads an ONNX file and its files of external data.
   * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
   */
  static async read(path: string): Promise<OnnxGraph> {
    const model = await readModel(path);
    const external = new Map<string, Uint8Array>();
    for (const file of externalFiles(path, model)) external.set(file, await readBytes(file));
    return new OnnxGraph(path, model, external);
  }

  /** The node that computes a value; undefined for inputs and constants. */
  producer(value: string): OnnxNode | undefined {
    return this.#producers.get(value);
  }

  /** True for an input without a default. */
  isInput(value: string): boolean {
    return this.#inputs.has(value) && !this.#constants.has(value);
  }

  /**
   * A tensor that the file stores; undefined for other values.
   * @throws {EmbedError} `MODEL_INVALID` if it is damaged or has another element type
   */
  tensor(value: string): OnnxTensor | undefined {
    const proto = this.#constants.get(value);
    if (proto === undefined) return undefined;
    const location = proto.externalData.find(({ key }) => key === 'location')?.value ?? '';
    try {
      return readTensor(proto, this.#external.get(join(dirname(this.path), location)));
    } catch (cause) {
      throw this.invalid(`tensor "${value}" ${(cause as Error).message}`, cause);
    }
  }

  /** An error for a file that is damaged or contradicts its config. */
  invalid(why: string, cause?: unknown): EmbedError {
    return new EmbedError('MODEL_INVALID', `"${this.path}": ${why}`, { cause });
  }

  /** An error for a graph that is not the expected one at a value. */
  unsupported(value: string, expected: string): EmbedError {
    const node = this.producer(value);
    const given = node
      ? `node "${node.name}" (${node.operator})`
      : `${this.isInput(value) ? 'the input' : 'the constant'} "${value}"`;
    return new EmbedError('MODEL_UNSUPPORTED', `"${this.path}" has ${given}, expected ${expected}`);
  }

  /** An error for a file without one of the outputs. */
  unsupportedOutputs(expected: readonly string[]): EmbedError {
    return new EmbedError(
      'MODEL_UNSUPPORTED',
      `"${this.path}" has the outputs ${this.outputs.join(', ')}, expected ${expected.join(' or ')}`,
    );
  }

  #add({ name, domain, opType, input, output, attribute }: NodeProto): void {
    const operator = domain === '' || domain === 'ai.onnx' ? opType : `${domain}:${opType}`;
    for (const value of input) {
      if (value !== '' && !this.#isKnown(value)) {
        throw this.invalid(`node "${name}" (${operator}) reads "${value}", which nothing before it computes`);
      }
    }
    const attributes = new Map(attribute.map((each) => [each.name, each]));
    const constant = operator === 'Constant' ? constantOf(attributes) : undefined;
    for (const value of output) {
      if (value === '') continue;
      if (this.#isKnown(value)) throw this.invalid(`"${value}" has two definitions`);
      if (constant) this.#constants.set(value, constant);
      else this.#producers.set(value, { name, operator, inputs: input, outputs: output, attributes });
    }
  }

  #isKnown(value: string): boolean {
    return this.#producers.has(value) || this.#constants.has(value) || this.#inputs.has(value);
  }
}

/**
 * Paths of an ONNX file and of its files of external data, sorted: everything that a hash of the model must
 * cover.
 * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
 */
export async function onnxFiles(path: string): Promise<string[]> {
  return [path, ...externalFiles(path, await readModel(path))];
}

async function readModel(path: string): Promise<ModelProto> {
  const bytes = await readBytes(path);
  const invalid = (why: string, cause?: unknown) =>
    new EmbedError('MODEL_INVALID', `"${path}" is not an ONNX file: ${why}`, { cause });
  let model: ModelProto;
  try {
    model = decodeModel(bytes);
  } catch (cause) {
    throw invalid((cause as Error).message, cause);
  }
  if (!model.graph) throw invalid('it has no graph');
  return model;
}

function externalFiles(path: string, { graph }: ModelProto): string[] {
  const tensors = [
    ...graph!.initializer,
    ...graph!.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => t ?? [])),
  ];
  const files = new Set<string>();
  for (const { name, dataLocation, externalData } of tensors) {
    if (dataLocation !== 1) continue;
    const location = normalize(externalData.find(({ key }) => key === 'location')?.value ?? '');
    // A location elsewhere could make a model read any file of the machine.
    if (isAbsolute(location) || location.startsWith('..') || location === '.') {
      throw new EmbedError(
        'MODEL_INVALID',
        `"${path}" stores tensor "${name}" in "${location}", expected a file in its folder`,
      );
    }
    files.add(join(dirname(path), location));
  }
  return [...files].sort();
}

async function readBytes(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new EmbedError('MODEL_NOT_FOUND', `cannot read the weights "${path}"`, { cause });
  });
}

/** The tensor of a `Constant` node, which may also state numbers. */
function constantOf(attributes: ReadonlyMap<string, AttributeProto>): TensorProto | undefined {
  const tensor = (dataType: number, values: Partial<TensorProto>, dims: number[]): TensorProto => ({
    name: '',
    dims,
    dataType,
    floatData: [],
    int32Data: [],
    int64Data: [],
    rawData: new Uint8Array(0),
    externalData: [],
    dataLocation: 0,
    ...values,
  });
  const [name, attribute] = [...attributes].find(([each]) => each.startsWith('value')) ?? [];
  if (attribute === undefined) return undefined;
  const { t, f, i, floats, ints } = attribute;
  if (name === 'value') return t ?? undefined;
  if (name === 'value_float') return tensor(1, { floatData: [f] }, []);
  if (name === 'value_int') return tensor(7, { int64Data: [i] }, []);
  if (name === 'value_floats') return tensor(1, { floatData: floats }, [floats.length]);
  if (name === 'value_ints') return tensor(7, { int64Data: ints }, [ints.length]);
  return undefined;
}
