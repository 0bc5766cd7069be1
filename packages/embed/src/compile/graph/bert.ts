/**
 * Builds the ONNX graph of a BERT sentence encoder for one text at its exact length.
 *
 * Token ids in, one pooled vector of length 1 out. Called by the compiler (`prepare/built-in.ts`) and, with
 * taps, by the calibration script. A single text needs no padding and therefore no mask: without a mask input
 * ONNX Runtime takes its flash-attention path, and the mean over tokens is a plain ReduceMean. Residual sums
 * and LayerNormalization stay separate operators, because the fused SkipLayerNormalization is slower than
 * both (docs/decisions/0010-own-graph-one-text-per-run.md).
 */

import type { Dense, EncoderLayer, Norm } from '@embedmill/engine';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import type { BertWeights } from '../weights/bert-weights.ts';
import type { Arithmetic } from './arithmetic.ts';

/** Name of the input: token ids, 1 × tokens, int32. */
export const GRAPH_INPUT = 'input_ids';

/** Name of the output: one vector of length 1, 1 × hidden, float32. */
export const GRAPH_OUTPUT = 'sentence_embedding';

/** Graph values that calibration measures: the inputs of the linear parts of a layer. */
export interface LayerTaps {
  attention: Value;
  attentionOutput: Value;
  intermediate: Value;
  output: Value;
}

/** Options of `buildBertGraph`. */
export interface BertGraphOptions {
  /** Adds the inputs of all linear layers to the outputs of the graph. Default false. */
  tapLinearInputs?: boolean;
  /** How token vectors become one vector. Default `mean`. */
  pooling?: 'mean' | 'cls';
}

/** Returns the bytes of the ONNX file and the names of the taps, one entry per layer. */
export function buildBertGraph(
  weights: BertWeights,
  arithmetic: Arithmetic,
  options: BertGraphOptions = {},
): { onnx: Uint8Array; taps: LayerTaps[] } {
  const { config } = weights;
  const hidden = config.hidden_size;
  const graph = new GraphBuilder();

  const norm = (name: string, input: Value, { gain, bias }: Norm): Value =>
    graph.node(
      name,
      'LayerNormalization',
      [
        input,
        graph.constant(`${name}.gain`, gain, [gain.length]),
        graph.constant(`${name}.bias`, bias, [bias.length]),
      ],
      { axis: { int: -1 }, epsilon: { float: config.layer_norm_eps } },
    );
  const scaled = (name: string, input: Value, scale: Float32Array | undefined): Value =>
    scale
      ? graph.node(name, 'Mul', [input, graph.constant(`${name}.factors`, scale, [scale.length])])
      : input;

  const embed = (): Value => {
    const ids = graph.input(GRAPH_INPUT, 'int32', [1, 'tokens']);
    const words = arithmetic.lookUpWords(graph, weights, ids);
    const shape = graph.node('shape', 'Shape', [ids], { start: { int: 1 } });
    const positions = graph.node('positions', 'Slice', [
      graph.constant('positions.table', weights.positions.values, weights.positions.shape),
      graph.constant('positions.start', BigInt64Array.of(0n), [1]),
      shape,
      graph.constant('positions.axis', BigInt64Array.of(0n), [1]),
    ]);
    return norm('embeddings', graph.node('embeddings.sum', 'Add', [words, positions]), weights.embeddingNorm);
  };

  const attend = (at: string, input: Value, layer: EncoderLayer): Value => {
    const joined = arithmetic.dense(
      graph,
      `${at}.qkv`,
      input,
      joinOutputs(layer.query, layer.key, layer.value),
    );
    const [query, key, value] = graph.split(
      `${at}.split`,
      'Split',
      [
        joined,
        graph.constant(
          `${at}.split.sizes`,
          BigInt64Array.of(BigInt(hidden), BigInt(hidden), BigInt(hidden)),
          [3],
        ),
      ],
      [`${at}.query`, `${at}.key`, `${at}.value`],
      { axis: { int: -1 } },
    );
    return graph.node(`${at}.context`, 'com.microsoft:MultiHeadAttention', [query, key, value], {
      num_heads: { int: config.num_attention_heads },
    });
  };

  const taps: LayerTaps[] = [];
  const addLayer = (input: Value, layer: EncoderLayer, index: number): Value => {
    const at = `layer${index}`;
    const attention = scaled(`${at}.attention.input`, input, layer.attentionInputScale);
    const context = attend(at, attention, layer);
    const mixed = arithmetic.dense(graph, `${at}.mixed`, context, layer.attentionOutput);
    const middle = norm(
      `${at}.middle`,
      graph.node(`${at}.middle.sum`, 'Add', [mixed, input]),
      layer.attentionNorm,
    );
    const intermediate = scaled(`${at}.intermediate.input`, middle, layer.intermediateInputScale);
    const widened = arithmetic.dense(graph, `${at}.widened`, intermediate, layer.intermediate);
    const activated = graph.node(`${at}.activated`, arithmetic.gelu, [widened]);
    const narrow = scaled(`${at}.output.input`, activated, layer.outputInputScale);
    const narrowed = arithmetic.dense(graph, `${at}.narrowed`, narrow, layer.output);
    taps.push({ attention, attentionOutput: context, intermediate, output: narrow });
    return norm(`${at}.end`, graph.node(`${at}.end.sum`, 'Add', [narrowed, middle]), layer.outputNorm);
  };

  let states = embed();
  weights.layers.forEach((layer, index) => {
    states = addLayer(states, arithmetic.prepareLayer(layer, index), index);
  });
  const pooled =
    options.pooling === 'cls'
      ? graph.node('first', 'Gather', [states, graph.constant('first.token', BigInt64Array.of(0n), [])], {
          axis: { int: 1 },
        })
      : graph.node('mean', 'ReduceMean', [states], { axes: { ints: [1] }, keepdims: { int: 0 } });
  graph.node(GRAPH_OUTPUT, 'LpNormalization', [pooled], { axis: { int: -1 }, p: { int: 2 } });
  graph.output(GRAPH_OUTPUT, 'float32', [1, hidden]);
  if (options.tapLinearInputs) {
    for (const name of new Set(taps.flatMap((tap) => Object.values(tap)))) {
      graph.output(name, 'float32', [
        1,
        'tokens',
        name.endsWith('activated') ? config.intermediate_size : hidden,
      ]);
    }
  }
  return { onnx: graph.encode('sentence-encoder'), taps };
}

/** Joins layers that read the same input into one, because one product with more columns is faster. */
function joinOutputs(...parts: Dense[]): Dense {
  const inputs = parts[0]!.inputs;
  const outputs = parts.reduce((sum, part) => sum + part.outputs, 0);
  const weight = new Float32Array(inputs * outputs);
  const bias = new Float32Array(outputs);
  let column = 0;
  for (const part of parts) {
    for (let row = 0; row < inputs; row++) {
      weight.set(part.weight.subarray(row * part.outputs, (row + 1) * part.outputs), row * outputs + column);
    }
    bias.set(part.bias, column);
    column += part.outputs;
  }
  return { inputs, outputs, weight, bias };
}
