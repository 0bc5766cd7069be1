/** Writes the small BERT as ONNX files like those of the Hub's converters, in several ways. */

import { floatsOfHalves, halvesOf } from '@embedmill/contract';
import { GraphBuilder, type Value } from '../../../packages/embed/src/compile/onnx/graph-builder.ts';
import { SMALL, smallTensors } from './small-bert.ts';

/** How an ONNX file of BERT is written. */
export interface OnnxBertOptions {
  /**
   * Weights in floats; quantized as by dynamic quantization (MatMulInteger); or between QuantizeLinear and
   * DequantizeLinear. Default `float32`.
   */
  weights?: 'float32' | 'float16' | 'dynamic' | 'qdq';
  /** Normalization and GELU as many nodes, as one each, or linear layers as Gemm on flat rows. Default `nodes`. */
  style?: 'nodes' | 'fused' | 'gemm';
  /**
   * Scores divided by the root of the head size; or, as newer exporters write attention, queries and keys each
   * multiplied by the root of that, and probabilities that are not a number replaced by 0.
   */
  scores?: 'divided' | 'scaled-operands';
  /** Replaces the operator of nodes by name. */
  operators?: Record<string, string>;
  /** Replaces the inputs of nodes by name. */
  inputs?: Record<string, (inputs: readonly string[]) => string[]>;
  /** Replaces numbers by name. */
  numbers?: Record<string, number>;
  /** Changes the tensors before they are stored. */
  edit?: (tensors: Tensors) => void;
  output?: string;
}

type Tensors = ReturnType<typeof smallTensors>;

/** An ONNX file and the tensors that it holds, after rounding, under the names of PyTorch. */
export interface OnnxBert {
  onnx: Uint8Array;
  tensors: Tensors;
}

class EditedBuilder extends GraphBuilder {
  readonly #options: OnnxBertOptions;

  constructor(options: OnnxBertOptions) {
    super();
    this.#options = options;
  }

  override split<const Names extends readonly string[]>(
    name: string,
    operator: string,
    inputs: readonly Value[],
    outputs: Names,
    attributes = {},
  ): Names {
    const { operators = {}, inputs: changed = {} } = this.#options;
    const edit = changed[name] ?? ((same: readonly string[]) => [...same]);
    return super.split(name, operators[name] ?? operator, edit(inputs), outputs, attributes);
  }
}

/** Writes the file. */
export function onnxBert(options: OnnxBertOptions = {}): OnnxBert {
  const { weights = 'float32', style = 'nodes', scores = 'divided', output = 'last_hidden_state' } = options;
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads } = SMALL;
  const graph = new EditedBuilder(options);
  const tensors = smallTensors();
  options.edit?.(tensors);

  const number = (name: string, value: number): Value =>
    graph.constant(name, Float32Array.of(options.numbers?.[name] ?? value), []);
  const ints = (name: string, ...values: number[]): Value =>
    graph.constant(name, BigInt64Array.from(values, BigInt), [values.length]);
  const cast = (name: string, input: Value): Value => graph.node(name, 'Cast', [input], { to: { int: 1 } });

  /** Stores floats as the options say; the value is float32. */
  const floats = (name: string): Value => {
    const tensor = tensors.get(name)!;
    if (weights !== 'float16') return graph.constant(name, tensor.values, tensor.shape);
    const bits = halvesOf(tensor.values);
    tensor.values = floatsOfHalves(bits);
    return cast(`${name}.cast`, graph.constant(name, bits, tensor.shape));
  };
  const lookUp = (name: string, ids: Value): Value => {
    if (weights === 'float32' || weights === 'float16')
      return graph.node(`${name}.rows`, 'Gather', [floats(name), ids]);
    const stored = quantizeTable(tensors.get(name)!);
    const rows = graph.node(`${name}.rows`, 'Gather', [
      graph.constant(`${name}_quantized`, stored.integers, tensors.get(name)!.shape),
      ids,
    ]);
    return graph.node(`${name}.reals`, 'DequantizeLinear', [
      rows,
      graph.constant(`${name}_scale`, Float32Array.of(stored.scale), []),
      graph.constant(`${name}_zero`, Uint8Array.of(stored.zero), []),
    ]);
  };
  const product = (at: string, name: string, input: Value, inputs: number, outputs: number): Value => {
    const tensor = tensors.get(name)!;
    if (weights === 'float32' || weights === 'float16') {
      const stored = floats(name);
      return graph.node(`${at}.MatMul`, 'MatMul', [
        input,
        graph.node(`${at}.weight_used`, 'Transpose', [stored], { perm: { ints: [1, 0] } }),
      ]);
    }
    // A name that says nothing, as PyTorch gives to transposed weights.
    const anonymous = `onnx::MatMul_${at.length}_${at}`;
    const { integers, scales } = quantizeRows(tensor, inputs);
    const weight = graph.constant(`${anonymous}_quantized`, transposed(integers, outputs, inputs), [
      inputs,
      outputs,
    ]);
    const scale = graph.constant(`${anonymous}_scale`, scales, [outputs]);
    const zero = graph.constant(`${anonymous}_zero`, new Int8Array(outputs), [outputs]);
    if (weights === 'qdq') {
      const steps = [number(`${at}.step`, 1 / 16), graph.constant(`${at}.offset`, Uint8Array.of(128), [])];
      const bytes = graph.node(`${at}.bytes`, 'QuantizeLinear', [input, ...steps]);
      const reals = graph.node(`${at}.reals`, 'DequantizeLinear', [bytes, ...steps]);
      return graph.node(`${at}.MatMul`, 'MatMul', [
        reals,
        graph.node(`${at}.weight_used`, 'DequantizeLinear', [weight, scale, zero], { axis: { int: 1 } }),
      ]);
    }
    const [bytes, step, offset] = graph.split(
      `${at}.quantize`,
      'DynamicQuantizeLinear',
      [input],
      [`${at}.bytes`, `${at}.step`, `${at}.offset`],
    );
    const sums = graph.node(`${at}.MatMul_quant`, 'MatMulInteger', [bytes, weight, offset, zero]);
    return graph.node(`${at}.MatMul`, 'Mul', [
      cast(`${at}.sums`, sums),
      graph.node(`${at}.scales`, 'Mul', [step, scale]),
    ]);
  };
  const dense = (name: string, input: Value, inputs: number, outputs: number): Value => {
    if (style === 'gemm') {
      const flat = graph.node(`${name}.flat`, 'Reshape', [input, ints(`${name}.rows`, -1, inputs)]);
      const sums = graph.node(
        `${name}.Gemm`,
        'Gemm',
        [flat, floats(`${name}.weight`), floats(`${name}.bias`)],
        {
          transB: { int: 1 },
        },
      );
      return graph.node(name, 'Reshape', [sums, joinShape(`${name}.shape`, outputs)]);
    }
    return graph.node(name, 'Add', [
      floats(`${name}.bias`),
      product(name, `${name}.weight`, input, inputs, outputs),
    ]);
  };
  const norm = (name: string, input: Value, result = name): Value => {
    const [gain, bias] = [floats(`${name}.weight`), floats(`${name}.bias`)];
    if (style === 'fused') {
      return graph.node(result, 'LayerNormalization', [input, gain, bias], {
        epsilon: { float: SMALL.layer_norm_eps },
      });
    }
    const mean = (at: string, of: Value) => graph.node(at, 'ReduceMean', [of], { axes: { ints: [-1] } });
    const centred = graph.node(`${name}.Sub`, 'Sub', [input, mean(`${name}.mean`, input)]);
    const square = graph.node(`${name}.Pow`, 'Pow', [centred, number(`${name}.two`, 2)]);
    const variance = graph.node(`${name}.variance`, 'Add', [
      mean(`${name}.mean_1`, square),
      number(`${name}.epsilon`, SMALL.layer_norm_eps),
    ]);
    const unit = graph.node(`${name}.Div`, 'Div', [centred, graph.node(`${name}.Sqrt`, 'Sqrt', [variance])]);
    return graph.node(result, 'Add', [graph.node(`${name}.Mul`, 'Mul', [unit, gain]), bias]);
  };
  const gelu = (name: string, input: Value): Value => {
    if (style === 'fused') return graph.node(name, 'com.microsoft:Gelu', [input]);
    const erf = graph.node(`${name}.Erf`, 'Erf', [
      graph.node(`${name}.Div`, 'Div', [input, number(`${name}.root`, Math.SQRT2)]),
    ]);
    const gate = graph.node(`${name}.Add`, 'Add', [erf, number(`${name}.one`, 1)]);
    return graph.node(name, 'Mul', [
      graph.node(`${name}.Mul`, 'Mul', [input, gate]),
      number(`${name}.half`, 0.5),
    ]);
  };

  const ids = graph.input('input_ids', 'int64', ['batch', 'tokens']);
  const attentionMask = graph.input('attention_mask', 'int64', ['batch', 'tokens']);
  const types = graph.input('token_type_ids', 'int64', ['batch', 'tokens']);
  const shape = graph.node('shape', 'Shape', [ids]);
  const batch = graph.node('batch', 'Gather', [shape, ints('batch.index', 0)]);
  const tokens = graph.node('tokens', 'Gather', [shape, ints('tokens.index', 1)]);
  const joinShape = (name: string, ...sizes: number[]): Value =>
    graph.node(name, 'Concat', [batch, tokens, ...sizes.map((size, i) => ints(`${name}.${i}`, size))], {
      axis: { int: 0 },
    });
  const positions = graph.node('positions', 'Slice', [
    graph.constant(
      'position_ids',
      BigInt64Array.from({ length: SMALL.max_position_embeddings }, (_, i) => BigInt(i)),
      [1, SMALL.max_position_embeddings],
    ),
    ints('positions.start', 0),
    tokens,
    ints('positions.axis', 1),
  ]);
  const sum = graph.node('embeddings.Add', 'Add', [
    lookUp('embeddings.word_embeddings.weight', ids),
    lookUp('embeddings.token_type_embeddings.weight', types),
  ]);
  let states = norm(
    'embeddings.LayerNorm',
    graph.node('embeddings.Add_1', 'Add', [sum, lookUp('embeddings.position_embeddings.weight', positions)]),
  );
  const axes = ints('mask.axes', 1, 2);
  const hiddenTokens = graph.node('mask.Sub', 'Sub', [
    number('mask.one', 1),
    cast('mask.Cast', graph.node('mask.Unsqueeze', 'Unsqueeze', [attentionMask, axes])),
  ]);
  const mask = graph.node('mask', 'Mul', [hiddenTokens, number('mask.minimum', -1e9)]);

  for (let index = 0; index < SMALL.num_hidden_layers; index++) {
    const at = `encoder.layer.${index}`;
    const size = hidden / heads;
    const headsOf = (part: string, perm: number[]): Value => {
      const name = `${at}.attention.self.${part}`;
      const split = graph.node(`${name}.heads`, 'Reshape', [
        dense(name, states, hidden, hidden),
        joinShape(`${name}.shape_heads`, heads, size),
      ]);
      return graph.node(`${name}.Transpose`, 'Transpose', [split], { perm: { ints: perm } });
    };
    let query = headsOf('query', [0, 2, 1, 3]);
    let key = headsOf('key', [0, 2, 3, 1]);
    const value = headsOf('value', [0, 2, 1, 3]);
    if (scores === 'scaled-operands') {
      const last = graph.node(`${at}.last`, 'Slice', [
        graph.node(`${at}.query_shape`, 'Shape', [query]),
        ints(`${at}.last_start`, -1),
        ints(`${at}.last_end`, Number.MAX_SAFE_INTEGER),
      ]);
      const root = graph.node(`${at}.root`, 'Sqrt', [cast(`${at}.size`, last)]);
      const factor = graph.node(`${at}.factor`, 'Sqrt', [
        graph.node(`${at}.scale`, 'Div', [number(`${at}.one`, 1), root]),
      ]);
      query = graph.node(`${at}.query_scaled`, 'Mul', [query, factor]);
      key = graph.node(`${at}.key_scaled`, 'Mul', [key, factor]);
    }
    const raw = graph.node(`${at}.scores`, 'MatMul', [query, key]);
    const scaled =
      scores === 'divided'
        ? graph.node(`${at}.scores_scaled`, 'Div', [raw, number(`${at}.divisor`, Math.sqrt(size))])
        : raw;
    const softmax = graph.node(
      `${at}.Softmax`,
      'Softmax',
      [graph.node(`${at}.masked`, 'Add', [scaled, mask])],
      { axis: { int: -1 } },
    );
    const probabilities =
      scores === 'divided'
        ? softmax
        : graph.node(`${at}.guarded`, 'Where', [
            graph.node(`${at}.IsNaN`, 'IsNaN', [softmax]),
            number(`${at}.zero`, 0),
            softmax,
          ]);
    const mixed = graph.node(`${at}.mixed`, 'MatMul', [probabilities, value]);
    const joined = graph.node(`${at}.joined`, 'Transpose', [mixed], { perm: { ints: [0, 2, 1, 3] } });
    const context = graph.node(`${at}.context`, 'Reshape', [joined, joinShape(`${at}.shape`, hidden)]);
    const middle = norm(
      `${at}.attention.output.LayerNorm`,
      graph.node(`${at}.attention.output.Add`, 'Add', [
        dense(`${at}.attention.output.dense`, context, hidden, hidden),
        states,
      ]),
    );
    const wide = gelu(`${at}.gelu`, dense(`${at}.intermediate.dense`, middle, hidden, inner));
    states = norm(
      `${at}.output.LayerNorm`,
      graph.node(`${at}.output.Add`, 'Add', [dense(`${at}.output.dense`, wide, inner, hidden), middle]),
    );
  }
  graph.node(output, 'Identity', [states]);
  graph.output(output, 'float32', ['batch', 'tokens', hidden]);
  return { onnx: graph.encode('main_graph'), tensors };
}

/** Quantizes to unsigned integers with one scale and zero point; the tensor takes on the values that these mean. */
function quantizeTable(tensor: { values: Float32Array }): {
  integers: Uint8Array;
  scale: number;
  zero: number;
} {
  const low = tensor.values.reduce((min, value) => Math.min(min, value), 0);
  const high = tensor.values.reduce((max, value) => Math.max(max, value), 0);
  const scale = Math.fround((high - low) / 255);
  const zero = Math.round(-low / scale);
  const integers = Uint8Array.from(tensor.values, (value) => Math.round(value / scale) + zero);
  tensor.values = Float32Array.from(integers, (integer) => (integer - zero) * scale);
  return { integers, scale, zero };
}

/** Quantizes to signed integers with one scale per row; the tensor takes on the values that these mean. */
function quantizeRows(
  tensor: { values: Float32Array },
  width: number,
): { integers: Int8Array; scales: Float32Array } {
  const scales = Float32Array.from({ length: tensor.values.length / width }, (_, row) => {
    const values = tensor.values.subarray(row * width, (row + 1) * width);
    return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
  });
  const scaleOf = (i: number) => scales[Math.floor(i / width)]!;
  const integers = Int8Array.from(tensor.values, (value, i) => Math.round(value / scaleOf(i)));
  tensor.values = Float32Array.from(integers, (integer, i) => integer * scaleOf(i));
  return { integers, scales };
}

/** The transpose of a matrix of rows × columns. */
export function transposed<T extends Float32Array | Int8Array>(matrix: T, rows: number, columns: number): T {
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!) as T;
}
