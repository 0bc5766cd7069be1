/** Recognises the sum of word, position and token type embeddings in an ONNX graph. */

import type { OnnxGraph, OnnxNode } from '../../onnx/graph-reader.ts';
import { readTensor } from '../../onnx/tensor-reader.ts';
import type { BertConfig } from '../bert-weights.ts';
import type { FloatTensor } from '../safetensors.ts';
import { tableOf } from './linear.ts';
import { dequantized, floats, intAttribute, integers, nodeOf, scalar, sumOf, through } from './values.ts';

/** Embeddings of a BERT encoder, each rows × hidden. */
export interface Embeddings {
  words: Float32Array;
  positions: Float32Array;
  types: Float32Array;
}

const EXPECTED = 'the sum of word embeddings, absolute positions 0, 1, 2… and token type embeddings';

/**
 * The tables whose rows add up to a value.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` if anything else is added or positions are counted in another way
 * (RoBERTa), `MODEL_INVALID` for sizes other than those of the config
 */
export function embeddingsOf(graph: OnnxGraph, value: string, config: BertConfig): Embeddings {
  const { hidden_size: hidden } = config;
  const rows = {
    words: config.vocab_size,
    positions: config.max_position_embeddings,
    types: config.type_vocab_size,
  };
  const found: Partial<Embeddings> = {};
  const terms = sumOf(graph, value, hidden);
  for (const term of terms) {
    const lookup = lookupOf(graph, term);
    const kind = lookup && kindOf(graph, lookup);
    if (lookup === undefined || kind === undefined || found[kind]) throw graph.unsupported(term, EXPECTED);
    found[kind] = tableOf(graph, lookup.name, lookup.table, [rows[kind], hidden]);
  }
  const { words, positions, types } = found;
  if (!words || !positions || !types) throw graph.unsupported(through(graph, value), EXPECTED);
  return { words, positions, types };
}

/** Rows of a table, picked by ids or the first ones. */
interface Lookup {
  name: string;
  table: FloatTensor;
  /** Undefined for a slice from the first row on. */
  ids: string | undefined;
}

/** The lookup that computes a value, also in a quantized table; undefined for other values. */
function lookupOf(graph: OnnxGraph, value: string): Lookup | undefined {
  const node = nodeOf(graph, value, 'Gather', 'Slice', 'DequantizeLinear');
  if (node?.operator === 'DequantizeLinear') {
    const [rows, scale, zeroPoint = ''] = node.inputs as [string, string, string?];
    const gather = nodeOf(graph, rows, 'Gather');
    const integers = gather && graph.tensor(gather.inputs[0]!);
    // The rows have one axis more than the table, so that a scale per row or channel cannot be meant.
    if (integers?.kind !== 'integer' || !isRowLookup(gather) || scalar(graph, scale) === undefined)
      return undefined;
    const [name, ids] = gather!.inputs as [string, string];
    return { name, ids, table: dequantized(graph, name, integers, { scale, zeroPoint, axis: 0 }) };
  }
  const [name, ids] = node?.inputs ?? [];
  const table = name === undefined ? undefined : floats(graph, name);
  if (!node || !name || !ids || !table) return undefined;
  if (node.operator === 'Gather') return isRowLookup(node) ? { name, ids, table } : undefined;
  const isFromStart = isFirst(graph, node) && slicedAxis(graph, node) === table.shape.length - 2;
  const shape = table.shape.slice(-2);
  return isFromStart ? { name, ids: undefined, table: { ...table, shape } } : undefined;
}

function isRowLookup(gather: OnnxNode | undefined): boolean {
  return gather !== undefined && intAttribute(gather, 'axis', 0) === 0;
}

function kindOf(graph: OnnxGraph, { ids }: Lookup): keyof Embeddings | undefined {
  if (ids === undefined || isCount(graph, ids)) return 'positions';
  const source = behindShapes(graph, ids);
  if (source === 'input_ids') return 'words';
  return source === 'token_type_ids' || isZeros(graph, source) ? 'types' : undefined;
}

/** True for 0, 1, 2… up to the number of tokens. */
function isCount(graph: OnnxGraph, value: string): boolean {
  const source = behindShapes(graph, value);
  if (source === 'position_ids') return true;
  const node = graph.producer(source);
  if (node?.operator === 'Range') {
    return scalar(graph, node.inputs[0]!) === 0 && scalar(graph, node.inputs[2]!) === 1;
  }
  if (node?.operator !== 'Slice' || !isFirst(graph, node)) return false;
  const stored = integers(graph, node.inputs[0]!);
  return stored
    ? stored.length > 1 && stored.every((position, i) => position === i)
    : isCount(graph, node.inputs[0]!);
}

/** True for a value that is 0 for every token. */
function isZeros(graph: OnnxGraph, value: string): boolean {
  const node = graph.producer(value);
  if (node === undefined) return integers(graph, value)?.every((id) => id === 0) ?? false;
  if (node.operator === 'ConstantOfShape') {
    const fill = node.attributes.get('value')?.t;
    return !fill || readTensor(fill, undefined).values.every((id) => id === 0);
  }
  return node.operator === 'Slice' && isZeros(graph, behindShapes(graph, node.inputs[0]!));
}

/** Goes back over nodes that only cast, copy or arrange whole numbers. */
function behindShapes(graph: OnnxGraph, value: string): string {
  const operators = ['Cast', 'Expand', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'];
  for (let current = value; ; ) {
    const node = graph.producer(current);
    if (node === undefined || !operators.includes(node.operator)) return current;
    current = node.inputs[0]!;
  }
}

/** True if a slice starts at index 0 and takes every element. */
function isFirst(graph: OnnxGraph, { inputs }: OnnxNode): boolean {
  const [, starts, , , steps] = inputs;
  const isZero = integers(graph, starts!)?.join() === '0';
  return isZero && (!steps || integers(graph, steps)?.join() === '1');
}

function slicedAxis(graph: OnnxGraph, { inputs }: OnnxNode): number | undefined {
  const axes = inputs[3] ? integers(graph, inputs[3]) : [0];
  return axes?.length === 1 ? axes[0] : undefined;
}
