/**
 * Recovers the weights of a BERT encoder in float32 from an ONNX file, by following its graph.
 *
 * Decision: docs/decisions/0121-weights-from-onnx-files.md.
 */

import type { EncoderLayer } from '@embedmill/engine';
import { OnnxGraph } from '../onnx/graph-reader.ts';
import type { BertConfig, BertWeights } from './bert-weights.ts';
import { attentionOf } from './onnx/attention.ts';
import { embeddingsOf } from './onnx/embeddings.ts';
import { type Linear, linearOf } from './onnx/linear.ts';
import { geluInput, normOf } from './onnx/rows.ts';
import { nodeOf, operandPairs, through } from './onnx/values.ts';

/** Names of the output with one vector per token, as converters write them. */
export const TOKEN_OUTPUTS = ['last_hidden_state', 'token_embeddings'];

/**
 * Reads an ONNX file of BERT as converters of the Hub write it: float32, float16 or dynamically quantized
 * (MatMulInteger), or with QuantizeLinear and DequantizeLinear; also with external data. Names of tensors do not
 * matter: every node between the token ids and the output with one vector per token must be the one that BERT has
 * there, so that the weights give the vectors of the file except for its quantization of activations.
 * Equal files give equal weights.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` with the node and what was expected if the graph is not post-norm BERT
 * with absolute positions and GELU by erf; `MODEL_INVALID` if the file is damaged, contradicts the config or has
 * weights that are not finite; `MODEL_NOT_FOUND` if it or its external data cannot be read
 */
export async function readOnnxBertWeights(path: string, config: BertConfig): Promise<BertWeights> {
  const graph = await OnnxGraph.read(path);
  const { hidden_size: hidden, num_hidden_layers: layerCount, layer_norm_eps: epsilon } = config;
  const output = TOKEN_OUTPUTS.find((name) => graph.outputs.includes(name));
  if (output === undefined) {
    throw graph.unsupportedOutputs(TOKEN_OUTPUTS);
  }
  const layers: EncoderLayer[] = [];
  let states = through(graph, output, hidden);
  while (layers.length < layerCount) {
    const { layer, input } = readLayer(graph, states, config);
    layers.unshift(layer);
    states = input;
  }
  const { input, norm } = normOf(graph, states, hidden, epsilon);
  const { words, positions, types } = embeddingsOf(graph, input, config);
  return {
    config,
    words: { shape: [config.vocab_size, hidden], values: words },
    positions: {
      shape: [config.max_position_embeddings, hidden],
      values: positions.map((value, i) => value + types[i % hidden]!),
    },
    embeddingNorm: norm,
    layers,
  };
}

/** The layer that computes states, and the states that it reads. */
function readLayer(
  graph: OnnxGraph,
  states: string,
  config: BertConfig,
): { layer: EncoderLayer; input: string } {
  const {
    hidden_size: hidden,
    intermediate_size: inner,
    num_attention_heads: heads,
    layer_norm_eps,
  } = config;
  const outputNorm = normOf(graph, states, hidden, layer_norm_eps);
  const output = residualOf(graph, outputNorm.input, inner, hidden);
  const wide = geluInput(graph, output.linear.input, inner);
  const intermediate = linearOf(graph, wide, hidden, inner);
  if (intermediate === undefined) throw graph.unsupported(wide, `a linear layer of ${hidden} × ${inner}`);
  if (intermediate.input !== output.residual) {
    throw graph.unsupported(
      output.residual,
      'the input of the feed-forward layers, which post-norm BERT adds to their output',
    );
  }
  const attentionNorm = normOf(graph, intermediate.input, hidden, layer_norm_eps);
  const mixed = residualOf(graph, attentionNorm.input, hidden, hidden);
  const { input, query, key, value } = attentionOf(graph, mixed.linear.input, { hidden, heads });
  if (input !== mixed.residual) {
    throw graph.unsupported(
      mixed.residual,
      'the input of attention, which post-norm BERT adds to its output',
    );
  }
  return {
    input,
    layer: {
      query,
      key,
      value,
      attentionOutput: mixed.linear.dense,
      attentionNorm: attentionNorm.norm,
      intermediate: intermediate.dense,
      output: output.linear.dense,
      outputNorm: outputNorm.norm,
    },
  };
}

/** The linear layer and the states whose sum is a value. */
function residualOf(
  graph: OnnxGraph,
  value: string,
  inputs: number,
  outputs: number,
): { linear: Linear; residual: string } {
  const sum = nodeOf(graph, value, 'Add');
  for (const [left, right] of sum ? operandPairs(sum) : []) {
    const linear = linearOf(graph, left, inputs, outputs);
    if (linear) return { linear, residual: through(graph, right, outputs) };
  }
  throw graph.unsupported(
    value,
    `the sum of a linear layer of ${inputs} × ${outputs} and its residual states`,
  );
}
