/** Recognises linear layers in an ONNX graph: in floats, with quantized weights, or in integers. */

import type { Dense } from '@embedmill/engine';
import type { OnnxGraph, OnnxNode } from '../../onnx/graph-reader.ts';
import { transpose } from '../bert-weights.ts';
import type { FloatTensor } from '../safetensors.ts';
import { dequantized, floats, intAttribute, nodeOf, operandPairs, through } from './values.ts';

/** A linear layer and the value that it reads. */
export interface Linear {
  input: string;
  dense: Dense;
}

/** A product with weights of inputs × outputs. */
interface WeightProduct {
  input: string;
  /** Name of the weights, for errors. */
  name: string;
  weight: FloatTensor;
}

/**
 * The linear layer that computes a value: a product and a bias; undefined for other values.
 * @throws {EmbedError} `MODEL_INVALID` if its weights have another shape or are not finite
 */
export function linearOf(
  graph: OnnxGraph,
  value: string,
  inputs: number,
  outputs: number,
): Linear | undefined {
  const node = nodeOf(graph, through(graph, value, outputs), 'Add', 'Gemm');
  if (node === undefined) return undefined;
  const candidates = node.operator === 'Gemm' ? [gemm(graph, node)] : sums(graph, node, outputs);
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const { product, biasName } = candidate;
    const bias = vectorOf(graph, biasName, outputs);
    const weight = tableOf(graph, product.name, product.weight, [inputs, outputs]);
    return {
      input: through(graph, product.input, inputs),
      dense: { inputs, outputs, weight, bias },
    };
  }
  return undefined;
}

interface Candidate {
  product: WeightProduct;
  biasName: string;
}

function sums(graph: OnnxGraph, node: OnnxNode, outputs: number): (Candidate | undefined)[] {
  return operandPairs(node).map(([biasName, value]) => {
    const product = floats(graph, biasName) && productWithWeights(graph, through(graph, value, outputs));
    return product && { product, biasName };
  });
}

function gemm(graph: OnnxGraph, node: OnnxNode): Candidate | undefined {
  const [input, name, biasName] = node.inputs as [string, string, string | undefined];
  const number = (attribute: string) => node.attributes.get(attribute)?.f ?? 1;
  const isPlain = number('alpha') === 1 && number('beta') === 1 && intAttribute(node, 'transA', 0) === 0;
  const weight = floats(graph, name);
  if (!isPlain || !biasName || weight?.shape.length !== 2) return undefined;
  if (intAttribute(node, 'transB', 0) === 0) return { product: { input, name, weight }, biasName };
  const swapped = { shape: weight.shape.toReversed(), values: transpose(weight) };
  return { product: { input, name, weight: swapped }, biasName };
}

function productWithWeights(graph: OnnxGraph, value: string): WeightProduct | undefined {
  const matMul = nodeOf(graph, value, 'MatMul');
  if (matMul) {
    const [input, name] = matMul.inputs as [string, string];
    const weight = floats(graph, name);
    return weight && { input, name, weight };
  }
  const scaled = nodeOf(graph, value, 'Mul');
  return scaled && integerProduct(graph, scaled);
}

/**
 * A product as dynamic quantization writes it: `Cast(MatMulInteger(bytes, weights)) × (input scale × scale)`,
 * with bytes, input scale and zero point of one DynamicQuantizeLinear.
 */
function integerProduct(graph: OnnxGraph, scaled: OnnxNode): WeightProduct | undefined {
  for (const [sums, scales] of operandPairs(scaled)) {
    const matMul = nodeOf(graph, sums, 'MatMulInteger');
    const factors = matMul && nodeOf(graph, scales, 'Mul');
    if (!factors) continue;
    const [bytes, name, inputZero, zeroPoint = ''] = matMul.inputs as [string, string, string?, string?];
    const quantize = graph.producer(bytes);
    if (quantize?.operator !== 'DynamicQuantizeLinear' || quantize.outputs[2] !== inputZero) continue;
    const integers = graph.tensor(name);
    const scale = factors.inputs.find((input) => input !== quantize.outputs[1]);
    if (integers?.kind !== 'integer' || !factors.inputs.includes(quantize.outputs[1]!) || !scale) continue;
    return {
      input: quantize.inputs[0]!,
      name,
      weight: dequantized(graph, name, integers, { scale, zeroPoint, axis: 1 }),
    };
  }
  return undefined;
}

/**
 * A constant vector of `size` floats.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` if it is not a constant, `MODEL_INVALID` for another size or a value
 * that is not finite
 */
export function vectorOf(graph: OnnxGraph, name: string, size: number): Float32Array {
  const tensor = floats(graph, name);
  if (tensor === undefined) throw graph.unsupported(name, 'a constant tensor of floats');
  return tableOf(graph, name, { shape: [tensor.values.length], values: tensor.values }, [size]);
}

/**
 * The values of a constant of the expected shape.
 * @throws {EmbedError} `MODEL_INVALID` for another shape or a value that is not finite
 */
export function tableOf(
  graph: OnnxGraph,
  name: string,
  { shape, values }: FloatTensor,
  expected: readonly number[],
): Float32Array {
  if (shape.join('x') !== expected.join('x')) {
    throw graph.invalid(`tensor "${name}" has shape ${shape.join('x')}, expected ${expected.join('x')}`);
  }
  // A loop, because callbacks take seconds for a large vocabulary.
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw graph.invalid(`tensor "${name}" has the value ${values[i]} at ${i}, expected a finite number`);
  }
  return values;
}
