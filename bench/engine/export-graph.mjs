/**
 * Builds the ONNX files for the peers as the hub serves them for this model: in fp32, the graph of the
 * PyTorch exporter (each LayerNorm and GELU in elementary operators, attention mask, token types, padding);
 * in q8, its dynamic int8 form from the converter of the hub (each MatMul with constant weights, one scale
 * per column, 7-bit range, word embeddings in int8).
 */

import { quantizeColumns, quantizeRows } from '@embedmill/engine';
import { GraphBuilder } from '../../packages/embed/dist/compile/onnx/graph-builder.js';

/**
 * Returns the bytes of the ONNX file.
 * @param {import('../../packages/embed/dist/compile/weights/bert-weights.js').BertWeights} weights
 * @param {'fp32' | 'q8'} precision
 */
export function exportGraph(weights, precision) {
  const { config } = weights;
  const [hidden, heads] = [config.hidden_size, config.num_attention_heads];
  const graph = new GraphBuilder();
  const number = (name, value) => graph.constant(name, Float32Array.of(value), []);
  const integers = (name, ...values) =>
    graph.constant(name, BigInt64Array.from(values, BigInt), [values.length]);

  const norm = (at, input, { gain, bias }) => {
    const mean = graph.node(`${at}.mean`, 'ReduceMean', [input], { axes: { ints: [-1] } });
    const centred = graph.node(`${at}.centred`, 'Sub', [input, mean]);
    const squares = graph.node(`${at}.squares`, 'Pow', [centred, number(`${at}.two`, 2)]);
    const variance = graph.node(`${at}.variance`, 'ReduceMean', [squares], { axes: { ints: [-1] } });
    const shifted = graph.node(`${at}.shifted`, 'Add', [
      variance,
      number(`${at}.epsilon`, config.layer_norm_eps),
    ]);
    const scaled = graph.node(`${at}.scaled`, 'Div', [
      centred,
      graph.node(`${at}.deviation`, 'Sqrt', [shifted]),
    ]);
    const gained = graph.node(`${at}.gained`, 'Mul', [scaled, graph.constant(`${at}.gain`, gain, [hidden])]);
    return graph.node(at, 'Add', [gained, graph.constant(`${at}.bias`, bias, [hidden])]);
  };

  /** In q8, layers with the same input share its quantization, as in the files of the converter. */
  const quantised = new Map();
  const quantise = (input) => {
    if (!quantised.has(input)) {
      const names = [`${input}.q`, `${input}.q.scale`, `${input}.q.zero`];
      quantised.set(input, graph.split(`${input}.quantise`, 'DynamicQuantizeLinear', [input], names));
    }
    return quantised.get(input);
  };
  const product = (at, input, dense) => {
    const shape = [dense.inputs, dense.outputs];
    if (precision === 'fp32')
      return graph.node(`${at}.product`, 'MatMul', [
        input,
        graph.constant(`${at}.weight`, dense.weight, shape),
      ]);
    const { integers: weight, scales } = quantizeColumns(dense.weight, dense.outputs, 63);
    const [q, scale, zero] = quantise(input);
    const sums = graph.node(`${at}.sums`, 'MatMulInteger', [
      q,
      graph.constant(`${at}.weight`, weight, shape),
      zero,
      graph.constant(`${at}.zero`, new Int8Array(dense.outputs), [dense.outputs]),
    ]);
    const reals = graph.node(`${at}.reals`, 'Cast', [sums], { to: { int: 1 } });
    const scaleProduct = graph.node(`${at}.scales`, 'Mul', [
      scale,
      graph.constant(`${at}.scale`, scales, [dense.outputs]),
    ]);
    return graph.node(`${at}.product`, 'Mul', [reals, scaleProduct]);
  };
  const dense = (at, input, layer) =>
    graph.node(at, 'Add', [
      product(at, input, layer),
      graph.constant(`${at}.bias`, layer.bias, [layer.outputs]),
    ]);

  const gelu = (at, input) => {
    const scaled = graph.node(`${at}.scaled`, 'Div', [input, number(`${at}.root2`, Math.SQRT2)]);
    const erf = graph.node(`${at}.erf`, 'Erf', [scaled]);
    const shifted = graph.node(`${at}.shifted`, 'Add', [erf, number(`${at}.one`, 1)]);
    const weighed = graph.node(`${at}.weighed`, 'Mul', [input, shifted]);
    return graph.node(at, 'Mul', [weighed, number(`${at}.half`, 0.5)]);
  };

  const [ids, mask, types] = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
    graph.input(name, 'int64', ['batch', 'tokens']),
  );
  const maskReal = graph.node(
    'mask.real',
    'Cast',
    [graph.node('mask.wide', 'Unsqueeze', [mask, integers('mask.axes', 1, 2)])],
    { to: { int: 1 } },
  );
  const maskInverse = graph.node('mask.inverse', 'Sub', [number('mask.one', 1), maskReal]);
  const maskBias = graph.node('mask.bias', 'Mul', [
    maskInverse,
    number('mask.least', -3.4028234663852886e38),
  ]);

  let words;
  if (precision === 'fp32') {
    words = graph.node('words', 'Gather', [
      graph.constant('words.table', weights.words.values, weights.words.shape),
      ids,
    ]);
  } else {
    // The converter uses one scale for the whole table.
    const { integers: table, scales } = quantizeRows(weights.words.values, weights.words.values.length);
    const rows = graph.node('words.rows', 'Gather', [
      graph.constant('words.table', table, weights.words.shape),
      ids,
    ]);
    words = graph.node('words', 'DequantizeLinear', [rows, number('words.scale', scales[0])]);
  }
  const typeRows = graph.node('types', 'Gather', [
    graph.constant('types.table', new Float32Array(2 * hidden), [2, hidden]),
    types,
  ]);
  const length = graph.node('length', 'Shape', [ids], { start: { int: 1 }, end: { int: 2 } });
  const positions = graph.node('positions', 'Slice', [
    graph.constant('positions.table', weights.positions.values, weights.positions.shape),
    integers('positions.start', 0),
    length,
    integers('positions.axis', 0),
  ]);
  const sum = graph.node('embeddings.sum', 'Add', [
    graph.node('embeddings.typed', 'Add', [words, typeRows]),
    positions,
  ]);
  let states = norm('embeddings', sum, weights.embeddingNorm);

  weights.layers.forEach((layer, index) => {
    const at = `layer${index}`;
    const toHeads = (name, input, perm) => {
      const shape = integers(`${name}.shape`, 0, 0, heads, hidden / heads);
      return graph.node(
        `${name}.heads`,
        'Transpose',
        [graph.node(`${name}.reshaped`, 'Reshape', [input, shape])],
        { perm: { ints: perm } },
      );
    };
    const query = toHeads(`${at}.query`, dense(`${at}.query`, states, layer.query), [0, 2, 1, 3]);
    const key = toHeads(`${at}.key`, dense(`${at}.key`, states, layer.key), [0, 2, 3, 1]);
    const value = toHeads(`${at}.value`, dense(`${at}.value`, states, layer.value), [0, 2, 1, 3]);
    const raw = graph.node(`${at}.scores.raw`, 'MatMul', [query, key]);
    const scores = graph.node(`${at}.scores`, 'Div', [raw, number(`${at}.root`, Math.sqrt(hidden / heads))]);
    const masked = graph.node(`${at}.scores.masked`, 'Add', [scores, maskBias]);
    const shares = graph.node(`${at}.shares`, 'Softmax', [masked], { axis: { int: -1 } });
    const mixed = graph.node(`${at}.mixed.heads`, 'MatMul', [shares, value]);
    const back = graph.node(`${at}.mixed.back`, 'Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } });
    const context = graph.node(`${at}.context`, 'Reshape', [
      back,
      integers(`${at}.context.shape`, 0, 0, hidden),
    ]);
    const attended = dense(`${at}.attended`, context, layer.attentionOutput);
    const middle = norm(
      `${at}.middle`,
      graph.node(`${at}.middle.sum`, 'Add', [attended, states]),
      layer.attentionNorm,
    );
    const wide = gelu(`${at}.activated`, dense(`${at}.wide`, middle, layer.intermediate));
    const narrow = dense(`${at}.narrow`, wide, layer.output);
    const end = index === weights.layers.length - 1 ? 'last_hidden_state' : `${at}.end`;
    states = norm(end, graph.node(`${at}.end.sum`, 'Add', [narrow, middle]), layer.outputNorm);
  });
  graph.output('last_hidden_state', 'float32', ['batch', 'tokens', hidden]);
  return graph.encode('bert-export');
}
