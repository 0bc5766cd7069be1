/** The parts that differ between the fp32 and the int8 graph: table lookup and linear layers. */

import type { Dense, EncoderLayer } from '@embedmill/engine';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { BertWeights } from '../weights/bert-weights.ts';

/** Adds the nodes with weights to a graph. */
export interface Arithmetic {
  /** Operator of the activation function. */
  gelu: string;
  /** Prepares the weights of a layer, and sets the scales of its inputs if they are scaled; called once per layer, before its first node is added. */
  prepareLayer(layer: EncoderLayer, index: number): EncoderLayer;
  /** Adds the lookup of word embeddings; the value is tokens × hidden. */
  lookUpWords(graph: GraphBuilder, weights: BertWeights, ids: Value): Value;
  /** Adds `input × weight + bias`; the value is tokens × outputs. */
  dense(graph: GraphBuilder, name: string, input: Value, dense: Dense): Value;
}
