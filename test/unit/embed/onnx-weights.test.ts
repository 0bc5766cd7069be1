/** Tests the reader of weights in ONNX files: every way to write BERT, other models, and damaged files. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { buildBertGraph } from '../../../packages/embed/src/compile/graph/bert.ts';
import { fp32Arithmetic } from '../../../packages/embed/src/compile/graph/fp32.ts';
import { GraphBuilder } from '../../../packages/embed/src/compile/onnx/graph-builder.ts';
import { onnxFiles } from '../../../packages/embed/src/compile/onnx/graph-reader.ts';
import {
  decodeModel,
  encodeModel,
  type NodeProto,
  type TensorProto,
} from '../../../packages/embed/src/compile/onnx/schema.ts';
import { readTensor } from '../../../packages/embed/src/compile/onnx/tensor-reader.ts';
import type { BertWeights } from '../../../packages/embed/src/compile/weights/bert-weights.ts';
import { readOnnxBertWeights } from '../../../packages/embed/src/compile/weights/onnx-weights.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { cosine, vectorOf } from './models.ts';
import { type OnnxBertOptions, onnxBert, transposed } from './onnx-bert.ts';
import { SMALL, smallBertFolder, smallBertStates, smallTensors } from './small-bert.ts';

const LAYER = 'encoder.layer.1';

function fileOf(onnx: Uint8Array): string {
  const path = join(temporaryFolder(), 'model.onnx');
  writeFileSync(path, onnx);
  return path;
}

const read = (options: OnnxBertOptions = {}, config: Partial<typeof SMALL> = {}): Promise<BertWeights> =>
  readOnnxBertWeights(fileOf(onnxBert(options).onnx), { ...SMALL, ...config });

/** The weights that the tensors mean, under the names of PyTorch. */
function weightsOf(tensors: ReturnType<typeof smallTensors>): BertWeights {
  const values = (name: string) => tensors.get(name)!.values;
  const dense = (name: string) => {
    const [outputs, inputs] = tensors.get(`${name}.weight`)!.shape as [number, number];
    const weight = transposed(values(`${name}.weight`), outputs, inputs);
    return { inputs, outputs, weight, bias: values(`${name}.bias`) };
  };
  const norm = (name: string) => ({ gain: values(`${name}.weight`), bias: values(`${name}.bias`) });
  const type = values('embeddings.token_type_embeddings.weight');
  return {
    config: SMALL,
    words: {
      shape: [SMALL.vocab_size, SMALL.hidden_size],
      values: values('embeddings.word_embeddings.weight'),
    },
    positions: {
      shape: [SMALL.max_position_embeddings, SMALL.hidden_size],
      values: values('embeddings.position_embeddings.weight').map(
        (value, i) => value + type[i % SMALL.hidden_size]!,
      ),
    },
    embeddingNorm: norm('embeddings.LayerNorm'),
    layers: Array.from({ length: SMALL.num_hidden_layers }, (_, index) => {
      const at = `encoder.layer.${index}`;
      return {
        query: dense(`${at}.attention.self.query`),
        key: dense(`${at}.attention.self.key`),
        value: dense(`${at}.attention.self.value`),
        attentionOutput: dense(`${at}.attention.output.dense`),
        attentionNorm: norm(`${at}.attention.output.LayerNorm`),
        intermediate: dense(`${at}.intermediate.dense`),
        output: dense(`${at}.output.dense`),
        outputNorm: norm(`${at}.output.LayerNorm`),
      };
    }),
  };
}

/** An ONNX file whose tensors are in another file; `change` replaces what the last of them says about its place. */
function withExternalData(change: Record<string, string> = {}): { path: string; external: string } {
  const path = fileOf(onnxBert().onnx);
  const external = join(dirname(path), 'model.onnx_data');
  const model = decodeModel(readFileSync(path));
  const bodies: Uint8Array[] = [];
  let end = 0;
  for (const tensor of model.graph!.initializer.filter(({ dataType }) => dataType === 1)) {
    const entries = {
      location: 'model.onnx_data',
      offset: String(end),
      length: String(tensor.rawData.length),
      ...(tensor.name.endsWith('1.output.dense.weight') && change),
    };
    bodies.push(tensor.rawData);
    end += tensor.rawData.length;
    tensor.rawData = new Uint8Array(0);
    tensor.externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    tensor.dataLocation = 1;
  }
  writeFileSync(path, encodeModel({ ...model }));
  writeFileSync(external, Buffer.concat(bodies));
  return { path, external };
}

/** The file with Constant nodes in the place of stored tensors, and with typed fields in the place of bytes. */
function inConstantNodes(onnx: Uint8Array): Uint8Array {
  const model = decodeModel(onnx);
  const graph = model.graph!;
  const constants = graph.initializer.map((tensor): NodeProto => {
    const { name, dataType } = tensor;
    const { values } = readTensor(tensor, undefined);
    const field = dataType === 1 ? 'floatData' : dataType === 7 ? 'int64Data' : 'int32Data';
    const t = { ...tensor, rawData: new Uint8Array(0), [field]: Array.from(values) };
    return {
      name,
      domain: '',
      opType: 'Constant',
      input: [],
      output: [name],
      attribute: [{ name: 'value', f: 0, i: 0, s: new Uint8Array(0), t, floats: [], ints: [] }],
    };
  });
  return encodeModel({ ...model, graph: { ...graph, initializer: [], node: [...constants, ...graph.node] } });
}

/** The vector of a text by ONNX Runtime, from a folder with this ONNX file. */
async function vectorFrom(onnx: Uint8Array): Promise<Float32Array> {
  const folder = smallBertFolder();
  rmSync(join(folder, 'model.safetensors'));
  mkdirSync(join(folder, 'onnx'));
  writeFileSync(join(folder, 'onnx', 'model.onnx'), onnx);
  const model = await prepareModel({ model: folder, precision: 'fp32', cacheDir: temporaryFolder() });
  const embedder = await Embedder.open(model);
  onTestFinished(() => embedder.close());
  return vectorOf(embedder, 'red red blue green');
}

const WAYS: [string, OnnxBertOptions, number][] = [
  ['float32', {}, 0.999999],
  ['float16', { weights: 'float16' }, 0.9999],
  ['dynamically quantized', { weights: 'dynamic' }, 0.99],
  ['with quantized weights and activations', { weights: 'qdq' }, 0.99],
  ['with one node per normalization and GELU', { style: 'fused' }, 0.999999],
  ['with Gemm on flat rows', { style: 'gemm' }, 0.999999],
  ['with scaled queries and keys', { scores: 'scaled-operands', output: 'token_embeddings' }, 0.999999],
  ['with scaled queries and keys, quantized', { scores: 'scaled-operands', weights: 'dynamic' }, 0.99],
];

describe('an ONNX file of BERT', () => {
  test.each(WAYS)('%s has the tensors that it was written from', async (_, options) => {
    const { onnx, tensors } = onnxBert(options);
    expect(await readOnnxBertWeights(fileOf(onnx), SMALL)).toEqual(weightsOf(tensors));
  });

  test.each(WAYS)(
    '%s has the vectors of the graph compiled from its weights',
    async (_, options, minimum) => {
      const { onnx } = onnxBert(options);
      const compiled = buildBertGraph(await readOnnxBertWeights(fileOf(onnx), SMALL), fp32Arithmetic()).onnx;
      expect(cosine(await vectorFrom(onnx), await vectorFrom(compiled))).toBeGreaterThan(minimum);
    },
  );

  test('has the vectors that plain loops compute', async () => {
    const states = smallBertStates([2, 4, 4, 6, 5, 3]);
    const sum = states[0]!.map((_, i) => states.reduce((all, state) => all + state[i]!, 0));
    const vector = await vectorFrom(onnxBert().onnx);
    for (const [i, value] of sum.entries()) expect(vector[i]).toBeCloseTo(value / Math.hypot(...sum), 5);
  });

  test('may keep its tensors in Constant nodes and in typed fields', async () => {
    const { onnx, tensors } = onnxBert({ weights: 'dynamic' });
    const path = fileOf(inConstantNodes(onnx));
    expect(await readOnnxBertWeights(path, SMALL)).toEqual(weightsOf(tensors));
  });

  test('may keep its tensors in a file beside it', async () => {
    const { path, external } = withExternalData();
    expect(await readOnnxBertWeights(path, SMALL)).toEqual(weightsOf(smallTensors()));
    expect(await onnxFiles(path)).toEqual([path, external]);
  });
});

const UNSUPPORTED: [string, OnnxBertOptions, RegExp][] = [
  [
    'the tanh approximation of GELU',
    { style: 'fused', operators: { [`${LAYER}.gelu`]: 'com.microsoft:FastGelu' } },
    /node "encoder.layer.1.gelu" \(com.microsoft:FastGelu\), expected GELU by erf/,
  ],
  [
    'another activation',
    { style: 'fused', operators: { [`${LAYER}.gelu`]: 'Relu' } },
    /node "encoder.layer.1.gelu" \(Relu\), expected GELU by erf/,
  ],
  [
    'GELU with another constant',
    { numbers: { [`${LAYER}.gelu.root`]: 1.5 } },
    /node "encoder.layer.1.gelu" \(Mul\), expected GELU by erf/,
  ],
  [
    'scores with another scale',
    { numbers: { [`${LAYER}.divisor`]: 4 } },
    /expected scores multiplied by 0.3535.*; they are multiplied by 0.25/,
  ],
  [
    'a position bias in attention',
    { inputs: { [`${LAYER}.masked`]: ([scores]) => [scores!, `${LAYER}.output.dense.bias`] } },
    /the constant "encoder.layer.1.output.dense.bias", expected a mask/,
  ],
  [
    'a mask of the token ids',
    { inputs: { 'mask.Unsqueeze': ([, axes]) => ['input_ids', axes!] } },
    /the input "input_ids", expected a mask/,
  ],
  ['a causal mask', { operators: { mask: 'Trilu' } }, /node "mask" \(Trilu\), expected a mask/],
  [
    'attention to other states',
    { inputs: { [`${LAYER}.attention.self.key.MatMul`]: ([, weight]) => ['embeddings.LayerNorm', weight!] } },
    /expected self-attention/,
  ],
  [
    'keys in the place of queries',
    { inputs: { [`${LAYER}.scores`]: ([query, key]) => [key!, query!] } },
    /split into 3 heads, with the axes 0,2,1,3/,
  ],
  [
    'normalization before the residual sum',
    {
      inputs: {
        [`${LAYER}.output.Add`]: ([dense]) => [dense!, `${LAYER}.attention.output.Add`],
      },
    },
    /node "encoder.layer.1.attention.output.Add" \(Add\), expected the input of the feed-forward layers/,
  ],
  [
    'another normalization',
    { inputs: { [`${LAYER}.output.LayerNorm.Sub`]: ([, mean]) => [`${LAYER}.gelu`, mean!] } },
    /expected a layer normalization/,
  ],
  [
    'positions that depend on the ids, as in RoBERTa',
    { inputs: { positions: () => ['input_ids', 'tokens.index'] }, operators: { positions: 'CumSum' } },
    /expected the sum of word embeddings, absolute positions/,
  ],
  [
    'positions from 1 on',
    { inputs: { positions: ([table, , ...rest]) => [table!, 'tokens.index', ...rest] } },
    /expected the sum of word embeddings, absolute positions/,
  ],
  [
    'no token type embeddings',
    {
      inputs: { 'embeddings.Add_1': ([, position]) => ['embeddings.word_embeddings.weight.rows', position!] },
    },
    /node "embeddings.Add_1" \(Add\), expected the sum of word embeddings/,
  ],
  ['another output', { output: 'logits' }, /has the outputs logits, expected last_hidden_state or token_emb/],
];

describe('an ONNX file of another model is refused with the node', () => {
  test.each(UNSUPPORTED)('for %s', async (_, options, message) => {
    await expect(read(options)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringMatching(message),
    });
  });
});

const edited = (name: string, value: number): OnnxBertOptions => ({
  edit: (tensors) => tensors.get(name)!.values.fill(value, 3, 4),
});

const INVALID: [string, OnnxBertOptions, Partial<typeof SMALL>, RegExp][] = [
  ['another vocabulary', {}, { vocab_size: 8 }, /has shape 7x24, expected 8x24/],
  ['another number of positions', {}, { max_position_embeddings: 16 }, /has shape 12x24, expected 16x24/],
  ['another epsilon', {}, { layer_norm_eps: 1e-5 }, /has epsilon 9.99.*e-13, but config.json says 0.00001/],
  ['another inner size', {}, { intermediate_size: 41 }, /has shape 40/],
  [
    'a weight that is not a number',
    edited(`${LAYER}.output.dense.weight`, Number.NaN),
    {},
    /has the value NaN at/,
  ],
  ['an infinite bias', edited(`${LAYER}.output.dense.bias`, Infinity), {}, /has the value Infinity at 3/],
];

describe('an ONNX file that does not match its config or is damaged', () => {
  test.each(INVALID)('is refused for %s', async (_, options, config, message) => {
    await expect(read(options, config)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test.each([1, 3])('is refused for a config with %i layers, where it has 2', async (layers) => {
    await expect(read({}, { num_hidden_layers: layers })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
  });

  test('is refused if it is missing', async () => {
    await expect(readOnnxBertWeights('/missing/model.onnx', SMALL)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
  });

  test('is refused if it was truncated at any position', async () => {
    const { onnx } = onnxBert();
    const path = fileOf(onnx);
    for (let size = 0; size < onnx.byteLength; size += 97) {
      writeFileSync(path, onnx.subarray(0, size));
      await expect(readOnnxBertWeights(path, SMALL)).rejects.toMatchObject({
        code: expect.stringMatching(/^MODEL_(INVALID|UNSUPPORTED)$/),
      });
    }
  });

  test('gives finite weights or a clear error with any byte changed', async () => {
    const { onnx } = onnxBert({ weights: 'dynamic' });
    const path = fileOf(onnx);
    const random = seededRandom(5);
    for (let i = 0; i < 400; i++) {
      const damaged = Uint8Array.from(onnx);
      damaged[Math.floor(random() * onnx.byteLength)] = Math.floor(random() * 256);
      writeFileSync(path, damaged);
      const outcome = await readOnnxBertWeights(path, SMALL).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^MODEL_(INVALID|UNSUPPORTED)$/) });
      } else {
        const { words, layers } = outcome as BertWeights;
        for (const values of [words.values, layers[0]!.query.weight]) {
          expect(values.every((value) => Number.isFinite(value))).toBe(true);
        }
      }
    }
  });

  test('is refused if its nodes form a cycle', async () => {
    const graph = new GraphBuilder();
    graph.node('a', 'Identity', ['b']);
    graph.node('b', 'Identity', ['a']);
    graph.output('b', 'float32', [1]);
    await expect(readOnnxBertWeights(fileOf(graph.encode('cycle')), SMALL)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/node "a" \(Identity\) reads "b", which nothing before it computes/),
    });
  });

  test.each([0, 1])(
    'is refused at once for sums and products that double with every node (%i layers)',
    async (layers) => {
      const { hidden_size: hidden, intermediate_size: inner } = SMALL;
      const graph = new GraphBuilder();
      const floats = (name: string, ...dims: number[]) =>
        graph.constant(name, new Float32Array(dims.reduce((product, size) => product * size)), dims);
      let value = graph.input('input_ids', 'float32', [1]);
      for (let i = 0; i < 10_000; i++) value = graph.node(`twice${i}`, i % 2 ? 'Mul' : 'Add', [value, value]);
      const product = graph.node('product', 'MatMul', [value, floats('weight', inner, hidden)]);
      const linear = graph.node('linear', 'Add', [product, floats('bias', hidden)]);
      graph.node(
        'last_hidden_state',
        'LayerNormalization',
        [graph.node('sum', 'Add', [linear, value]), floats('gain', hidden), floats('shift', hidden)],
        { epsilon: { float: SMALL.layer_norm_eps } },
      );
      graph.output('last_hidden_state', 'float32', [1]);
      const path = fileOf(graph.encode('deep'));
      await expect(readOnnxBertWeights(path, { ...SMALL, num_hidden_layers: layers })).rejects.toMatchObject({
        code: 'MODEL_UNSUPPORTED',
        message: expect.stringMatching(layers === 0 ? /the sum of word embeddings/ : /expected GELU/),
      });
    },
  );

  test.each([
    ['outside its folder', { location: '../weights' }, 'MODEL_INVALID', /expected a file in its folder/],
    ['at an absolute path', { location: '/etc/passwd' }, 'MODEL_INVALID', /expected a file in its folder/],
    ['that is missing', { location: 'other.data' }, 'MODEL_NOT_FOUND', /cannot read the weights/],
    ['that is too short', { offset: '1000000' }, 'MODEL_INVALID', /claims bytes 1000000 to/],
    ['at a negative offset', { offset: '-4' }, 'MODEL_INVALID', /claims bytes -4 to/],
    ['of another size', { length: '8' }, 'MODEL_INVALID', /has 2 values, expected/],
  ])('is refused for external data %s', async (_, change, code, message) => {
    const { path } = withExternalData(change);
    await expect(readOnnxBertWeights(path, SMALL)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('a tensor of an ONNX file', () => {
  const tensor = (change: Partial<TensorProto>): TensorProto => ({
    name: 'weights',
    dims: [2],
    dataType: 1,
    floatData: [],
    int32Data: [],
    int64Data: [],
    rawData: new Uint8Array(0),
    externalData: [],
    dataLocation: 0,
    ...change,
  });
  const bytes = (values: Float32Array | Uint16Array) => new Uint8Array(values.buffer);

  test.each([
    ['float32', tensor({ rawData: bytes(Float32Array.of(0.5, -3)) }), [0.5, -3]],
    ['float16', tensor({ dataType: 10, rawData: bytes(Uint16Array.of(0x3800, 0xc200)) }), [0.5, -3]],
    ['float16 in an int32 field', tensor({ dataType: 10, int32Data: [0x3800, 0xc200] }), [0.5, -3]],
    ['bfloat16', tensor({ dataType: 16, rawData: bytes(Uint16Array.of(0x3f00, 0xc040)) }), [0.5, -3]],
    ['int8', tensor({ dataType: 3, rawData: Uint8Array.of(1, 0xff) }), [1, -1]],
    ['uint8', tensor({ dataType: 2, rawData: Uint8Array.of(1, 0xff) }), [1, 255]],
  ])('has the values of %s', (_, proto, expected) => {
    expect(Array.from(readTensor(proto, undefined).values)).toEqual(expected);
  });

  test.each([
    ['an element type of 4 bits', { dataType: 21 }, 'has element type 21, expected one of float32'],
    ['a negative size', { dims: [-2] }, 'has shape -2, expected sizes of at least 0'],
    ['a size beyond its data', { dims: [2 ** 40], rawData: new Uint8Array(8) }, 'has 2 values, expected'],
    ['no data', {}, 'has 0 values, expected 2 for 2'],
    ['half a value', { rawData: new Uint8Array(6) }, 'has 1.5 values, expected 2'],
  ])('is refused for %s', (_, change, message) => {
    expect(() => readTensor(tensor(change), undefined)).toThrow(message);
  });
});
