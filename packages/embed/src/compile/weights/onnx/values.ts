/** Walks and evaluates values of an ONNX graph: what the patterns of BERT have in common. */

import type { OnnxGraph, OnnxNode } from '../../onnx/graph-reader.ts';
import { DATA_TYPE } from '../../onnx/schema.ts';
import type { OnnxTensor } from '../../onnx/tensor-reader.ts';
import { transpose } from '../bert-weights.ts';
import type { FloatTensor } from '../safetensors.ts';

/** Deepest expression of constants that is evaluated; converters write at most 6 nodes. */
const MAX_DEPTH = 12;
/** Maximum operands of a sum or a product; BERT has 4. */
const MAX_TERMS = 16;

const FLOAT_TYPES: readonly number[] = [DATA_TYPE.float32, DATA_TYPE.float16, DATA_TYPE.bfloat16];

/** An integer attribute, or its default. */
export function intAttribute(node: OnnxNode, name: string, unset: number): number {
  const attribute = node.attributes.get(name);
  return attribute === undefined ? unset : Number(attribute.i);
}

/**
 * Goes back over nodes that do not change the numbers of a value: casts between floats, quantization that is
 * undone at once and, with `size`, reshapes that keep rows of this size.
 */
export function through(graph: OnnxGraph, value: string, size?: number): string {
  for (let current = value; ; ) {
    const node = graph.producer(current);
    const next = node && unchanged(graph, node, current, size);
    if (next === undefined) return current;
    current = next;
  }
}

function unchanged(graph: OnnxGraph, node: OnnxNode, output: string, size?: number): string | undefined {
  const [input] = node.inputs;
  switch (node.operator) {
    case 'Identity':
      return input;
    case 'Dropout':
      return output === node.outputs[0] ? input : undefined;
    case 'Cast':
      return FLOAT_TYPES.includes(intAttribute(node, 'to', 0)) ? input : undefined;
    case 'DequantizeLinear': {
      const quantize = graph.producer(input!);
      return quantize?.operator === 'QuantizeLinear' ? quantize.inputs[0] : undefined;
    }
    case 'Reshape':
      return size !== undefined && hasTail(graph, node.inputs[1]!, [size]) ? input : undefined;
    default:
      return undefined;
  }
}

/** The node behind `through` if it has one of the operators. */
export function nodeOf(graph: OnnxGraph, value: string, ...operators: string[]): OnnxNode | undefined {
  const node = graph.producer(through(graph, value));
  return node && operators.includes(node.operator) ? node : undefined;
}

/** Both orders of the two operands of a node. */
export function operandPairs({ inputs }: OnnxNode): [string, string][] {
  const [a, b] = inputs as [string, string];
  return [
    [a, b],
    [b, a],
  ];
}

/** A constant as float32: a stored or quantized tensor, also cast or transposed; undefined for other values. */
export function floats(graph: OnnxGraph, value: string, depth = 0): FloatTensor | undefined {
  const stored = graph.tensor(value);
  if (stored?.kind === 'float') return stored;
  const node = graph.producer(value);
  if (node === undefined || depth === MAX_DEPTH) return undefined;
  const operand = () => floats(graph, node.inputs[0]!, depth + 1);
  switch (node.operator) {
    case 'Identity':
      return operand();
    case 'Cast':
      return FLOAT_TYPES.includes(intAttribute(node, 'to', 0)) ? operand() : undefined;
    case 'Transpose': {
      const tensor = operand();
      const isSwap = intsAttribute(node, 'perm', [1, 0]).join() === '1,0';
      return isSwap && tensor?.shape.length === 2
        ? { shape: tensor.shape.toReversed(), values: transpose(tensor) }
        : undefined;
    }
    case 'DequantizeLinear': {
      const integers = graph.tensor(node.inputs[0]!);
      if (integers?.kind !== 'integer') return undefined;
      return dequantized(graph, node.inputs[0]!, integers, {
        scale: node.inputs[1]!,
        zeroPoint: node.inputs[2] ?? '',
        axis: intAttribute(node, 'axis', 1),
      });
    }
    default:
      return undefined;
  }
}

/** How integers map to floats: one scale for all, or one per index of an axis. */
export interface Scaling {
  scale: string;
  /** '' if there is none. */
  zeroPoint: string;
  axis: number;
}

/**
 * `(integer - zero point) × scale` in float32.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` if the scale is not a constant, `MODEL_INVALID` for a wrong size
 */
export function dequantized(
  graph: OnnxGraph,
  name: string,
  { shape, values }: OnnxTensor,
  scaling: Scaling,
): FloatTensor {
  const scale = floats(graph, scaling.scale)?.values;
  if (scale === undefined) throw graph.unsupported(scaling.scale, `a constant scale of "${name}"`);
  const zeros = scaling.zeroPoint === '' ? undefined : graph.tensor(scaling.zeroPoint)?.values;
  if (scaling.zeroPoint !== '' && zeros === undefined) {
    throw graph.unsupported(scaling.zeroPoint, `a constant zero point of "${name}"`);
  }
  const axis = scaling.axis < 0 ? scaling.axis + shape.length : scaling.axis;
  const channels = scale.length === 1 ? 1 : (shape[axis] ?? 0);
  const zeroCount = zeros?.length ?? 1;
  if (scale.length !== channels || (zeroCount !== 1 && zeroCount !== channels)) {
    throw graph.invalid(
      `"${name}" of ${shape.join('x')} has ${scale.length} scales and ${zeroCount} zero points, expected one or one per index of axis ${axis}`,
    );
  }
  // Consecutive values of one channel.
  const run =
    channels === 1 ? values.length : shape.slice(axis + 1).reduce((product, each) => product * each, 1);
  const result = new Float32Array(values.length);
  for (let start = 0, channel = 0; start < values.length; start += run) {
    const factor = scale[channel]!;
    const zero = zeros === undefined ? 0 : zeros[zeroCount === 1 ? 0 : channel]!;
    for (let i = start; i < start + run; i++) result[i] = (values[i]! - zero) * factor;
    if (++channel === channels) channel = 0;
  }
  return { shape, values: result };
}

/** A constant list of integers; undefined for other values. */
export function integers(graph: OnnxGraph, value: string): number[] | undefined {
  const stored = graph.tensor(through(graph, value));
  return stored?.kind === 'integer' ? Array.from(stored.values) : undefined;
}

/** Integers of an attribute, or its default. */
export function intsAttribute(node: OnnxNode, name: string, unset: readonly number[]): number[] {
  return (node.attributes.get(name)?.ints ?? unset).map(Number);
}

/**
 * A number that all texts share: a constant, the size of an attention head, or an expression of such numbers.
 * Undefined for other values.
 */
export function scalar(graph: OnnxGraph, value: string, depth = 0): number | undefined {
  const stored = graph.tensor(value);
  if (stored) return stored.values.length === 1 ? stored.values[0] : undefined;
  const node = graph.producer(value);
  if (node === undefined || depth === MAX_DEPTH) return undefined;
  const operand = (index: number) => scalar(graph, node.inputs[index]!, depth + 1) ?? Number.NaN;
  const result = () => {
    switch (node.operator) {
      case 'Identity':
      case 'Cast':
      case 'Squeeze':
      case 'Unsqueeze':
        return operand(0);
      case 'Sqrt':
        return Math.sqrt(operand(0));
      case 'Reciprocal':
        return 1 / operand(0);
      case 'Div':
        return operand(0) / operand(1);
      case 'Mul':
        return operand(0) * operand(1);
      case 'Pow':
        return operand(0) ** operand(1);
      case 'Slice':
      case 'Gather':
        return lastSize(graph, node, depth) ?? Number.NaN;
      default:
        return Number.NaN;
    }
  };
  const number = result();
  return Number.isNaN(number) ? undefined : number;
}

/** The size of the last dimension, if the node takes it from the shape of a value that has a constant one. */
function lastSize(graph: OnnxGraph, { inputs }: OnnxNode, depth: number): number | undefined {
  const shape = graph.producer(inputs[0]!);
  const index = integers(graph, inputs[1]!);
  if (shape?.operator !== 'Shape' || index?.length !== 1 || (index[0] !== -1 && index[0] !== 3))
    return undefined;
  let value = shape.inputs[0]!;
  for (let i = depth; i < MAX_DEPTH; i++) {
    const node = nodeOf(graph, value, 'Transpose', 'Reshape', 'Mul', 'Div');
    if (node === undefined) return undefined;
    if (node.operator === 'Reshape') return tail(graph, node.inputs[1]!, 1)[0];
    if (node.operator === 'Transpose' && intsAttribute(node, 'perm', []).at(-1) !== 3) return undefined;
    value = node.inputs[0]!;
  }
  return undefined;
}

/** A product of values with a number. */
export interface Product {
  factor: number;
  terms: string[];
}

/** Takes products and quotients with numbers apart. */
export function productOf(graph: OnnxGraph, value: string): Product {
  const product: Product = { factor: 1, terms: [] };
  const open = [value];
  for (let visited = 0; open.length > 0; visited++) {
    const current = through(graph, open.pop()!);
    const node = visited < MAX_TERMS ? graph.producer(current) : undefined;
    const number = scalar(graph, current);
    const divisor = node?.operator === 'Div' ? scalar(graph, node.inputs[1]!) : undefined;
    if (number !== undefined) product.factor *= number;
    else if (node?.operator === 'Mul') open.push(node.inputs[1]!, node.inputs[0]!);
    else if (node && divisor !== undefined) {
      product.factor /= divisor;
      open.push(node.inputs[0]!);
    } else product.terms.push(current);
  }
  return product;
}

/** The terms of a sum. */
export function sumOf(graph: OnnxGraph, value: string, size: number): string[] {
  const terms: string[] = [];
  const open = [value];
  for (let visited = 0; open.length > 0; visited++) {
    const current = through(graph, open.pop()!, size);
    const node = visited < MAX_TERMS ? graph.producer(current) : undefined;
    if (node?.operator === 'Add' || node?.operator === 'Sum') open.push(...node.inputs);
    else terms.push(current);
  }
  return terms;
}

/** True if a number is the expected one within the precision of float16. */
export function isNear(value: number | undefined, expected: number): boolean {
  return value !== undefined && Math.abs(value - expected) <= 1e-3 * Math.abs(expected);
}

/**
 * True if a shape ends with the given sizes. One of them may be -1 (the rest of the elements) if no fixed size
 * precedes it.
 */
export function hasTail(graph: OnnxGraph, shape: string, sizes: readonly number[]): boolean {
  const given = tail(graph, shape, sizes.length + 2);
  const last = given.slice(-sizes.length);
  const rest = given.slice(0, -sizes.length);
  if (last.length !== sizes.length) return false;
  const isInferred = last.includes(-1);
  if (isInferred && rest.some((size) => size !== undefined && size !== 0)) return false;
  return (
    last.every((size, i) => size === sizes[i] || size === -1) &&
    last.filter((size) => size === -1).length <= 1
  );
}

/** The last sizes of a shape, undefined where they depend on the text. */
function tail(graph: OnnxGraph, shape: string, count: number): (number | undefined)[] {
  const stored = integers(graph, shape);
  if (stored) return stored.slice(-count);
  const node = nodeOf(graph, shape, 'Concat');
  if (node === undefined) return [];
  return node.inputs.flatMap((input) => integers(graph, input) ?? [undefined]).slice(-count);
}
