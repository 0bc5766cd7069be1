/** What differs between the fp32 and the int8 graph: how a table is looked up and how a linear layer is computed. */
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';
import type { BertLayer, BertWeights, Dense } from '../weights/bert-weights.ts';

/** Writes the weight-bearing parts of the graph. */
export interface Arithmetic {
  /** The operator of the activation function. */
  gelu: string;
  /** The weights as this arithmetic wants them, once per layer, before anything of the layer is written. */
  prepareLayer(layer: BertLayer, index: number): PreparedLayer;
  /** Rows of the word table, tokens × hidden. */
  lookUpWords(graph: GraphBuilder, weights: BertWeights, ids: Value): Value;
  /** `input × weight + bias`. */
  dense(graph: GraphBuilder, name: string, input: Value, dense: Dense): Value;
}

/** A layer's weights, and what its inputs are multiplied with before they are read. */
export interface PreparedLayer extends BertLayer {
  /** Per channel; undefined: read as it is. */
  attentionInputScale?: Float32Array;
  intermediateInputScale?: Float32Array;
  outputInputScale?: Float32Array;
}
