/** Recognises the steps of BERT that work on single rows in an ONNX graph: layer normalization and GELU. */

import type { Norm } from '@embedmill/engine';
import type { OnnxGraph, OnnxNode } from '../../onnx/graph-reader.ts';
import { vectorOf } from './linear.ts';
import {
  floats,
  intAttribute,
  integers,
  intsAttribute,
  isNear,
  nodeOf,
  operandPairs,
  productOf,
  scalar,
  through,
} from './values.ts';

/** Difference of two epsilons that changes no vector; float16 files cannot hold the 1e-12 of most configs. */
const EPSILON_TOLERANCE = 1e-6;

/**
 * The layer normalization that computes a value, and the value that it reads.
 * @param epsilon as stated by the config
 * @throws {EmbedError} `MODEL_UNSUPPORTED` for another node, `MODEL_INVALID` for another epsilon or size
 */
export function normOf(
  graph: OnnxGraph,
  value: string,
  size: number,
  epsilon: number,
): { input: string; norm: Norm } {
  const parts = fusedNorm(graph, value) ?? writtenOutNorm(graph, value);
  if (parts === undefined) throw graph.unsupported(value, 'a layer normalization (post-norm BERT)');
  if (!(Math.abs(parts.epsilon - epsilon) <= EPSILON_TOLERANCE)) {
    throw graph.invalid(
      `a layer normalization has epsilon ${parts.epsilon}, but config.json says ${epsilon}`,
    );
  }
  return {
    input: through(graph, parts.input, size),
    norm: { gain: vectorOf(graph, parts.gain, size), bias: vectorOf(graph, parts.bias, size) },
  };
}

interface NormParts {
  input: string;
  gain: string;
  bias: string;
  epsilon: number;
}

function fusedNorm(graph: OnnxGraph, value: string): NormParts | undefined {
  const node = nodeOf(graph, value, 'LayerNormalization');
  if (node === undefined || !node.inputs[2]) return undefined;
  if (![-1, 2].includes(intAttribute(node, 'axis', -1))) return undefined;
  const [input, gain, bias] = node.inputs as [string, string, string];
  return { input, gain, bias, epsilon: node.attributes.get('epsilon')?.f ?? 1e-5 };
}

/** `(x - mean) / sqrt(mean((x - mean)²) + epsilon) × gain + bias`. */
function writtenOutNorm(graph: OnnxGraph, value: string): NormParts | undefined {
  for (const [bias, product] of pairsOf(graph, value, 'Add')) {
    if (floats(graph, bias) === undefined) continue;
    for (const [gain, unit] of pairsOf(graph, product, 'Mul')) {
      const quotient = nodeOf(graph, unit, 'Div');
      const parts = quotient && unitParts(graph, quotient);
      if (parts) return { ...parts, gain, bias };
    }
  }
  return undefined;
}

/** Input and epsilon of `(x - mean) / sqrt(mean((x - mean)²) + epsilon)`. */
function unitParts(graph: OnnxGraph, quotient: OnnxNode): Pick<NormParts, 'input' | 'epsilon'> | undefined {
  const [centred, root] = quotient.inputs as [string, string];
  const input = centredInput(graph, centred);
  const variance = nodeOf(graph, root, 'Sqrt')?.inputs[0];
  if (input === undefined || variance === undefined) return undefined;
  for (const [number, mean] of pairsOf(graph, variance, 'Add')) {
    const epsilon = scalar(graph, number);
    const square = rowMeanInput(graph, mean);
    if (epsilon !== undefined && square && squareInput(graph, square) === input) return { input, epsilon };
  }
  return undefined;
}

/** x of `x - mean(x)`. */
function centredInput(graph: OnnxGraph, value: string): string | undefined {
  const difference = nodeOf(graph, value, 'Sub');
  if (difference === undefined) return undefined;
  const input = through(graph, difference.inputs[0]!);
  return rowMeanInput(graph, difference.inputs[1]!) === input ? input : undefined;
}

/** x of `(x - mean(x))²`. */
function squareInput(graph: OnnxGraph, value: string): string | undefined {
  const node = nodeOf(graph, value, 'Pow', 'Mul');
  if (node === undefined) return undefined;
  const [base, other] = node.inputs as [string, string];
  const isSquare =
    node.operator === 'Pow'
      ? scalar(graph, through(graph, other)) === 2
      : through(graph, base) === through(graph, other);
  return isSquare ? centredInput(graph, base) : undefined;
}

/** x of a mean over the last axis. */
function rowMeanInput(graph: OnnxGraph, value: string): string | undefined {
  const node = nodeOf(graph, value, 'ReduceMean');
  if (node === undefined) return undefined;
  const axes = node.inputs[1] ? integers(graph, node.inputs[1]) : intsAttribute(node, 'axes', []);
  const isLast = axes?.length === 1 && (axes[0] === -1 || axes[0] === 2);
  return isLast && intAttribute(node, 'keepdims', 1) === 1 ? through(graph, node.inputs[0]!) : undefined;
}

/** Both orders of the operands of the node behind a value; none if it has another operator. */
function pairsOf(graph: OnnxGraph, value: string, operator: string): [string, string][] {
  const node = nodeOf(graph, value, operator);
  return node ? operandPairs(node) : [];
}

/**
 * The input of the GELU that computes a value: `x × (1 + erf(x / √2)) / 2`, written out or as one node.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` for another activation, such as the tanh approximation
 */
export function geluInput(graph: OnnxGraph, value: string, size: number): string {
  const expected = 'GELU by erf, as hidden_act "gelu" is';
  const fused = nodeOf(graph, value, 'Gelu', 'com.microsoft:Gelu');
  if (fused) {
    const approximate = new TextDecoder().decode(fused.attributes.get('approximate')?.s);
    if (approximate !== '' && approximate !== 'none') throw graph.unsupported(value, expected);
    return through(graph, fused.inputs[0]!, size);
  }
  const { factor, terms } = productOf(graph, value);
  if (terms.length === 2 && isNear(factor, 0.5)) {
    for (const [input, gate] of [terms, terms.toReversed()] as [string, string][]) {
      if (gateInput(graph, gate) === input) return through(graph, input, size);
    }
  }
  throw graph.unsupported(value, expected);
}

/** x of `1 + erf(x / √2)`. */
function gateInput(graph: OnnxGraph, value: string): string | undefined {
  for (const [one, other] of pairsOf(graph, value, 'Add')) {
    const erf = nodeOf(graph, other, 'Erf');
    if (!erf || !isNear(scalar(graph, one), 1)) continue;
    const { factor, terms } = productOf(graph, erf.inputs[0]!);
    if (terms.length === 1 && isNear(factor, Math.SQRT1_2)) return terms[0];
  }
  return undefined;
}
