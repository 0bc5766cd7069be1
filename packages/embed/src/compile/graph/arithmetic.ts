/** The parts that differ between the fp32 and the int8 graph: table lookup and linear layers. */

import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { BertLayer, BertWeights, Dense } from '../weights/bert-weights.ts';

/** Adds the nodes with weights to a graph. */
export interface Arithmetic {
  /** Operator of the activation function. */
  gelu: string;
  /** Prepares the weights of a layer; called once per layer, before its first node is added. */
  prepareLayer(layer: BertLayer, index: number): PreparedLayer;
  /** Adds the lookup of word embeddings; the value is tokens × hidden. */
  lookUpWords(graph: GraphBuilder, weights: BertWeights, ids: Value): Value;
  /** Adds `input × weight + bias`; the value is tokens × outputs. */
  dense(graph: GraphBuilder, name: string, input: Value, dense: Dense): Value;
}

/** Weights of a layer, and the factors that its inputs are multiplied by first. */
export interface PreparedLayer extends BertLayer {
  /** One factor per input channel of query, key and value; undefined if the input is not scaled. */
  attentionInputScale?: Float32Array;
  /** One factor per input channel of the intermediate layer; undefined if the input is not scaled. */
  intermediateInputScale?: Float32Array;
  /** One factor per input channel of the output layer; undefined if the input is not scaled. */
  outputInputScale?: Float32Array;
}
