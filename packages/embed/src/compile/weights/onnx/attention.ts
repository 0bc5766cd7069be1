/** Recognises self-attention in an ONNX graph and recovers its projections. */

import type { Dense } from '@embedmill/engine';
import type { OnnxGraph } from '../../onnx/graph-reader.ts';
import { type Linear, linearOf } from './linear.ts';
import {
  hasTail,
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

/** Sizes of attention. */
export interface AttentionShape {
  hidden: number;
  heads: number;
}

/** The projections of self-attention and the states that all three read. */
export interface Attention {
  input: string;
  query: Dense;
  key: Dense;
  value: Dense;
}

/** Order of the axes of queries and values (text, head, token, channel), and of keys. */
const BY_HEAD = '0,2,1,3';
const KEYS_BY_HEAD = '0,2,3,1';

/**
 * The attention that computes a context: `softmax(q × kᵀ / √size + mask) × v` in each head.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` for another node, scale or number of heads, and for anything but a
 * mask that is added to the scores, such as relative positions
 */
export function attentionOf(graph: OnnxGraph, context: string, shape: AttentionShape): Attention {
  const joined = nodeOf(graph, through(graph, context, shape.hidden), 'Transpose');
  if (joined === undefined || intsAttribute(joined, 'perm', []).join() !== BY_HEAD) {
    throw graph.unsupported(
      through(graph, context, shape.hidden),
      `attention heads joined by a Transpose of ${BY_HEAD}`,
    );
  }
  const mixed = nodeOf(graph, joined.inputs[0]!, 'MatMul');
  if (mixed === undefined) throw graph.unsupported(joined.inputs[0]!, 'the product of attention and values');
  const [query, key] = scoredBy(graph, softmaxInput(graph, mixed.inputs[0]!), shape);
  const value = headsOf(graph, mixed.inputs[1]!, BY_HEAD, shape);
  if (value.factor !== 1) throw graph.unsupported(mixed.inputs[1]!, 'values that are not scaled');
  for (const { input } of [key, value.linear]) {
    if (input !== query.input)
      throw graph.unsupported(input, 'self-attention: keys and values of the same states as the queries');
  }
  return { input: query.input, query: query.dense, key: key.dense, value: value.linear.dense };
}

/** Scores of the softmax that computes probabilities, also where rows without a number are replaced by 0. */
function softmaxInput(graph: OnnxGraph, probabilities: string): string {
  const guarded = nodeOf(graph, probabilities, 'Where');
  const isGuard =
    guarded && nodeOf(graph, guarded.inputs[0]!, 'IsNaN') && scalar(graph, guarded.inputs[1]!) === 0;
  const value = isGuard ? guarded.inputs[2]! : probabilities;
  const softmax = nodeOf(graph, value, 'Softmax');
  // Before opset 13 the default was axis 1.
  const axis = softmax && intAttribute(softmax, 'axis', graph.opset < 13 ? 1 : -1);
  if (axis !== -1 && axis !== 3)
    throw graph.unsupported(through(graph, value), 'a Softmax over the last axis');
  return softmax!.inputs[0]!;
}

/** Queries and keys of scores. */
function scoredBy(graph: OnnxGraph, masked: string, shape: AttentionShape): [Linear, Linear] {
  const sum = nodeOf(graph, masked, 'Add');
  for (const [scores, mask] of sum ? operandPairs(sum) : [[masked, undefined] as const]) {
    const { factor, terms } = productOf(graph, scores);
    const product = terms.length === 1 ? nodeOf(graph, terms[0]!, 'MatMul') : undefined;
    if (product === undefined) continue;
    if (mask !== undefined) assertMask(graph, mask);
    const query = headsOf(graph, product.inputs[0]!, BY_HEAD, shape);
    const key = headsOf(graph, product.inputs[1]!, KEYS_BY_HEAD, shape);
    const scale = factor * query.factor * key.factor;
    const expected = 1 / Math.sqrt(shape.hidden / shape.heads);
    if (!isNear(scale, expected)) {
      throw graph.unsupported(terms[0]!, `scores multiplied by ${expected}; they are multiplied by ${scale}`);
    }
    return [query.linear, key.linear];
  }
  throw graph.unsupported(through(graph, masked), 'scores of queries and keys, and a mask added to them');
}

/** A projection in heads, and the number that it is multiplied by. */
function headsOf(
  graph: OnnxGraph,
  value: string,
  expected: string,
  { hidden, heads }: AttentionShape,
): { linear: Linear; factor: number } {
  let axes = [0, 1, 2, 3];
  let current = value;
  let factor = 1;
  for (;;) {
    const product = productOf(graph, current);
    const [term] = product.terms;
    factor *= product.factor;
    const node = product.terms.length === 1 ? nodeOf(graph, term!, 'Transpose', 'Reshape') : undefined;
    if (node?.operator === 'Transpose') {
      const order = intsAttribute(node, 'perm', []);
      axes = axes.map((axis) => order[axis] ?? -1);
      current = node.inputs[0]!;
      continue;
    }
    const isSplit = node !== undefined && hasTail(graph, node.inputs[1]!, [heads, hidden / heads]);
    const linear = isSplit ? linearOf(graph, node.inputs[0]!, hidden, hidden) : undefined;
    if (linear && axes.join() === expected) return { linear, factor };
    const found = through(graph, term ?? current);
    throw graph.unsupported(
      found,
      `a linear layer of ${hidden} × ${hidden} split into ${heads} heads, with the axes ${expected}`,
    );
  }
}

/** Operators that turn `attention_mask` into a mask of scores. */
const MASK_OPERATORS = [
  'Add',
  'And',
  'Cast',
  'Concat',
  'ConstantOfShape',
  'Equal',
  'Expand',
  'Gather',
  'Identity',
  'Mul',
  'Not',
  'Reshape',
  'Slice',
  'Squeeze',
  'Sub',
  'Unsqueeze',
  'Where',
];

/** Throws unless a value depends on `attention_mask`, shapes and single numbers only. */
function assertMask(graph: OnnxGraph, mask: string): void {
  const seen = new Set<string>();
  const open = [mask];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === '' || value === 'attention_mask' || seen.has(value)) continue;
    seen.add(value);
    const node = graph.producer(value);
    if (node?.operator === 'Shape') continue;
    const isNumber = node === undefined && (scalar(graph, value) ?? integers(graph, value)) !== undefined;
    if (isNumber) continue;
    if (node === undefined || !MASK_OPERATORS.includes(node.operator)) {
      throw graph.unsupported(value, 'a mask that depends on attention_mask only');
    }
    open.push(...node.inputs);
  }
}
