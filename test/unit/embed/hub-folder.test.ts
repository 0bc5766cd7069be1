/**
 * Tests models from a folder in the layout of the Hub. The tests build the folders: a model that is only a
 * vocabulary table, so that the expected vectors can be computed by hand, or a compiled file.
 */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGolden, Embedder, type PreparedModel, prepareModel } from '@embedmill/embed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { GraphBuilder } from '../../../packages/embed/src/compile/onnx/graph-builder.ts';
import { DATA_TYPE, type DataType } from '../../../packages/embed/src/compile/onnx/schema.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { byteBpeFile, unigramFile } from '../../support/unigram-file.ts';
import { tokenizerFile } from './colours.ts';
import { bytesOf, cacheDir, openBuiltIn, vectorOf } from './models.ts';

const DIM = 4;
/** One row per token; [CLS] and [SEP] count in the mean like any other token. */
const TABLE = [
  [9, 9, 9, 9],
  [1, 1, 1, 1],
  [0, 0, 0, 2],
  [0, 0, 0, 0],
  [3, 0, 0, 0],
  [0, 3, 0, 0],
  [0, 0, 3, 0],
];

interface TableModel {
  /** Further inputs, by name; each is added to the token vectors, so that a wrong value shows. */
  inputs?: Record<string, DataType>;
  output?: string;
  /** Type of the output. Default float32. */
  type?: 'float16';
  operator?: string;
  scale?: number;
  table?: readonly number[][];
}

/** Builds a model that looks up its vectors in a table. */
function tableModel({
  inputs = {},
  output = 'last_hidden_state',
  type,
  operator = 'Identity',
  scale = 1,
  table: rows = TABLE,
}: TableModel): Uint8Array {
  const graph = new GraphBuilder();
  const ids = graph.input('input_ids', 'int64', ['batch', 'tokens']);
  const table = graph.constant(
    'table',
    Float32Array.from(rows.flat(), (value) => value * scale),
    [rows.length, DIM],
  );
  let states = graph.node('rows', 'Gather', [table, ids]);
  for (const [name, type] of Object.entries(inputs)) {
    const input = graph.input(name, type, ['batch', 'tokens']);
    const real = graph.node(`${name}.real`, 'Cast', [input], { to: { int: 1 } });
    const axis = graph.constant(`${name}.axis`, BigInt64Array.of(-1n), [1]);
    const factor = graph.node(`${name}.factor`, 'Unsqueeze', [real, axis]);
    // Only with ones as attention_mask and zeros as token_type_ids the vectors stay unchanged.
    states = graph.node(`${name}.used`, name === 'attention_mask' ? 'Mul' : 'Add', [states, factor]);
  }
  if (type === undefined) graph.node(output, operator, [states]);
  else graph.node(output, 'Cast', [states], { to: { int: DATA_TYPE[type] } });
  graph.output(output, type ?? 'float32', ['batch', 'tokens', DIM]);
  return graph.encode('table');
}

/** A row per token id, each with another direction. */
const rowsOfIds = (rows: number): number[][] =>
  Array.from({ length: rows }, (_, id) => [1, id % 7, (id % 5) - 2, (id % 3) - 1]);

/** A Unigram tokenizer that has the text "red" as three pieces. */
const LETTERS = unigramFile([
  ['▁r', -1],
  ['e', -1],
  ['d', -1],
]);

/** The text of a Git LFS pointer. */
const POINTER = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n');

/** Writes a folder in the layout of the Hub; `files` replaces files or, with undefined, omits them. */
function hubFolder(files: Record<string, object | Uint8Array | undefined> = {}): string {
  const root = join(temporaryFolder(), 'colours-mini');
  const all: typeof files = {
    'config.json': { hidden_size: DIM, max_position_embeddings: 6 },
    'tokenizer.json': tokenizerFile,
    'onnx/model.onnx': tableModel({ inputs: { attention_mask: 'int64', token_type_ids: 'int64' } }),
    ...files,
  };
  for (const folder of ['onnx', '1_Pooling', '2_Pooling']) mkdirSync(join(root, folder), { recursive: true });
  for (const [name, content] of Object.entries(all)) {
    if (content)
      writeFileSync(join(root, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return root;
}

async function open(model: PreparedModel): Promise<Embedder> {
  const embedder = await Embedder.open(model);
  onTestFinished(() => embedder.close());
  return embedder;
}

const prepareFp32 = (model: string) => prepareModel({ model, precision: 'fp32', cacheDir });

function unit(values: number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

const closeTo = (expected: Float32Array) => Array.from(expected, (value) => expect.closeTo(value, 5));

describe('a folder in the layout of the Hub', () => {
  test('is embedded with its declared inputs, mean pooling, and its own dimension and limit', async () => {
    const model = await prepareFp32(hubFolder());
    expect(model).toMatchObject({ name: 'colours-mini', dim: DIM, maxTokens: 6, pooling: 'mean' });
    const embedder = await open(model);
    expect([...(await vectorOf(embedder, 'red red blue'))]).toEqual(closeTo(unit([6, 0, 3, 2])));
    const target = new Float32Array(DIM);
    expect(await embedder.embed('red red blue blue green', target, 0)).toEqual({
      verdict: 'truncated',
      tokens: 6,
      lostTokens: 1,
    });
    expect((await checkGolden(embedder)).message).toBe(
      'colours-mini fp32: 9 sentences checked for equal vectors in two runs',
    );
  });

  test.each([0, Number.NaN])(
    'fails a text whose vector has the length %d, and loses its tokens',
    async (scale) => {
      const embedder = await open(await prepareFp32(hubFolder({ 'onnx/model.onnx': tableModel({ scale }) })));
      const target = new Float32Array(DIM).fill(7);
      expect(await embedder.embed('red blue', target, 0)).toEqual({
        verdict: 'failed',
        tokens: 0,
        lostTokens: 2,
        message: 'the model failed: it returned no finite vector',
      });
      expect([...target]).toEqual([0, 0, 0, 0]);
    },
  );

  test('uses the vector of the first token if its pooling says so', async () => {
    const model = await prepareFp32(
      hubFolder({
        '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
      }),
    );
    expect(model.pooling).toBe('cls');
    expect([...(await vectorOf(await open(model), 'red'))]).toEqual([0, 0, 0, 1]);
  });

  test('receives 32-bit integers and positions if it declares them', async () => {
    const folder = hubFolder({ 'onnx/model.onnx': tableModel({ inputs: { position_ids: 'int32' } }) });
    // Positions 0, 1, 2 are added to the vectors of [CLS], red and [SEP].
    const expected = unit([0 + 4 + 2, 0 + 1 + 2, 0 + 1 + 2, 2 + 1 + 2]);
    expect([...(await vectorOf(await open(await prepareFp32(folder)), 'red'))]).toEqual(closeTo(expected));
  });

  test('may return half-precision vectors', async () => {
    const folder = hubFolder({ 'onnx/model.onnx': tableModel({ type: 'float16' }) });
    const embedder = await open(await prepareFp32(folder));
    expect([...(await vectorOf(embedder, 'red red blue'))]).toEqual(closeTo(unit([6, 0, 3, 2])));
  });

  test.each([
    ['ModernBERT', { model_type: 'modernbert' }, ['attention_mask'], byteBpeFile([]), [0, 118, 105, 104, 2]],
    [
      'XLM-RoBERTa',
      { model_type: 'xlm-roberta', pad_token_id: 1 },
      ['attention_mask'],
      LETTERS,
      [0, 4, 5, 6, 2],
    ],
    ['MPNet', { model_type: 'mpnet', pad_token_id: 1 }, ['attention_mask'], tokenizerFile, [2, 4, 3]],
    [
      'NomicBERT',
      { model_type: 'nomic_bert' },
      ['token_type_ids', 'attention_mask'],
      tokenizerFile,
      [2, 4, 3],
    ],
  ])('of the kind of %s runs with its own inputs and tokenizer', async (_, config, names, tokenizer, ids) => {
    const inputs = Object.fromEntries(names.map((name) => [name, 'int64' as const]));
    const folder = hubFolder({
      'config.json': { hidden_size: DIM, max_position_embeddings: 514, ...config },
      'tokenizer.json': tokenizer,
      'onnx/model.onnx': tableModel({ inputs, table: rowsOfIds(260) }),
    });
    const embedder = await open(await prepareFp32(folder));
    const sum = [0, 1, 2, 3].map((i) => ids.reduce((all, id) => all + rowsOfIds(260)[id]![i]!, 0));
    expect([...(await vectorOf(embedder, 'red'))]).toEqual(closeTo(unit(sum)));
  });

  test("counts the positions of RoBERTa's family after the padding token", async () => {
    const folder = hubFolder({
      'config.json': { max_position_embeddings: 8, model_type: 'roberta', pad_token_id: 1 },
      'onnx/model.onnx': tableModel({ inputs: { position_ids: 'int64' } }),
    });
    const model = await prepareFp32(folder);
    expect(model.maxTokens).toBe(6);
    // Positions 2, 3, 4 are added to the vectors of [CLS], red and [SEP].
    const expected = unit([3, 0, 0, 2].map((sum) => sum + 2 + 3 + 4));
    expect([...(await vectorOf(await open(model), 'red'))]).toEqual(closeTo(expected));
  });

  test.each([
    ['fp32', 'model.onnx'],
    ['fp32', 'onnx/model_fp16.onnx'],
    ['int8', 'onnx/model_qint8_avx512_vnni.onnx'],
  ] as const)('may have its %s weights in %s', async (precision, file) => {
    const folder = hubFolder({ 'onnx/model.onnx': undefined, [file]: tableModel({}) });
    const model = await prepareModel({ model: folder, precision, cacheDir });
    expect(model).toMatchObject({ modelPath: join(folder, file), sources: { weights: file } });
  });

  test('reads the pooling from the file that modules.json names', async () => {
    const files = {
      'modules.json': [
        { path: '', type: 'sentence_transformers.models.Transformer' },
        { path: '2_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
      '2_Pooling/config.json': { pooling_mode: 'cls' },
    };
    expect(await prepareFp32(hubFolder(files))).toMatchObject({
      pooling: 'cls',
      sources: { pooling: '2_Pooling/config.json' },
    });
    await expect(
      prepareFp32(hubFolder({ ...files, '2_Pooling/config.json': undefined })),
    ).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringMatching(/has no "2_Pooling\/config.json", which its modules.json names$/),
    });
  });

  test('uses model_quantized.onnx for int8, with another fingerprint', async () => {
    const folder = hubFolder({ 'onnx/model_quantized.onnx': tableModel({ scale: 2 }) });
    const int8 = await prepareModel({ model: folder, precision: 'int8', cacheDir });
    expect(int8.modelPath).toBe(join(folder, 'onnx/model_quantized.onnx'));
    expect(int8.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(int8.fingerprint).not.toBe((await prepareFp32(folder)).fingerprint);
  });

  test('has a fingerprint that depends on weights, tokenizer and limits, and not on the path', async () => {
    const fingerprint = async (files = {}) => (await prepareFp32(hubFolder(files))).fingerprint;
    const same = await fingerprint();
    expect(await fingerprint()).toBe(same);
    const others = await Promise.all([
      fingerprint({ 'onnx/model.onnx': tableModel({ scale: 2 }) }),
      fingerprint({ 'tokenizer.json': { ...tokenizerFile, version: '1.1' } }),
      fingerprint({ 'sentence_bert_config.json': { max_seq_length: 5 } }),
      fingerprint({ '1_Pooling/config.json': { pooling_mode_cls_token: true } }),
    ]);
    expect(new Set([same, ...others]).size).toBe(5);
  });

  test('may contain a compiled model', async () => {
    const builtIn = await prepareModel({ precision: 'fp32', cacheDir });
    const folder = hubFolder({
      'tokenizer.json': undefined,
      'onnx/model.onnx': undefined,
      'sentence_bert_config.json': { max_seq_length: 256 },
    });
    copyFileSync(builtIn.modelPath, join(folder, 'onnx/model.onnx'));
    copyFileSync(builtIn.tokenizerPath, join(folder, 'tokenizer.json'));
    const model = await prepareFp32(folder);
    expect(model).toMatchObject({ dim: 384, maxTokens: 256, pooling: 'in-graph' });
    const text = 'The ferry leaves at noon.';
    const expected = await vectorOf(await openBuiltIn('fp32'), text);
    expect(bytesOf(await vectorOf(await open({ ...model, optimization: 'basic' }), text))).toBe(
      bytesOf(expected),
    );
  });

  test('that is deleted after preparation is named in the error', async () => {
    const folder = hubFolder();
    const model = await prepareFp32(folder);
    rmSync(folder, { recursive: true });
    await expect(Embedder.open(model)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });
});

describe('an unusable folder is rejected', () => {
  test.each([
    ['a missing model', { 'onnx/model.onnx': undefined }, 'MODEL_NOT_FOUND', /has no "onnx\/model.onnx"/],
    [
      'weights under another name',
      { 'onnx/model.onnx': undefined, 'onnx/encoder.onnx': tableModel({}) },
      'MODEL_NOT_FOUND',
      /has no "onnx\/model.onnx"; it has "onnx\/encoder.onnx": rename/,
    ],
    [
      'weights of another precision',
      { 'onnx/model.onnx': undefined, 'onnx/model_int8.onnx': tableModel({}) },
      'MODEL_NOT_FOUND',
      /has no "onnx\/model.onnx"; it has "onnx\/model_int8.onnx": use --precision int8/,
    ],
    [
      'weights in several files',
      { 'onnx/model.onnx': undefined, 'model-00001-of-00002.safetensors': Buffer.from('') },
      'MODEL_NOT_FOUND',
      /in several files \("model-00001-of-00002.safetensors"\), expected one "model.safetensors"/,
    ],
    [
      'weights of PyTorch',
      { 'onnx/model.onnx': undefined, 'pytorch_model.bin': Buffer.from('') },
      'MODEL_NOT_FOUND',
      /"pytorch_model.bin" cannot be read: convert it/,
    ],
    ['a pointer instead of weights', { 'onnx/model.onnx': POINTER }, 'MODEL_INVALID', /Git LFS pointer/],
    ['a pointer instead of a tokenizer', { 'tokenizer.json': POINTER }, 'MODEL_INVALID', /Git LFS pointer/],
    ['a pointer instead of a config', { 'config.json': POINTER }, 'MODEL_INVALID', /Git LFS pointer/],
    [
      'quantized weights',
      { 'config.json': { quantization_config: { quant_method: 'gptq' } } },
      'MODEL_UNSUPPORTED',
      /has quantized weights \("gptq"\), expected float32/,
    ],
    ['a missing tokenizer', { 'tokenizer.json': undefined }, 'MODEL_NOT_FOUND', /has no "tokenizer.json"/],
    ['a missing config', { 'config.json': undefined }, 'MODEL_NOT_FOUND', /config\.json/],
    [
      'a config that is not JSON',
      { 'config.json': Buffer.from('{') },
      'MODEL_INVALID',
      /config.json" is not JSON/,
    ],
    [
      'bytes that are not ONNX',
      { 'onnx/model.onnx': Buffer.from('weights') },
      'MODEL_INVALID',
      /cannot load ".*model.onnx"/,
    ],
    [
      'an unknown input',
      { 'onnx/model.onnx': tableModel({ inputs: { pixel_values: 'int64' } }) },
      'MODEL_UNSUPPORTED',
      /input "pixel_values" of .* is unknown, expected input_ids/,
    ],
    [
      'an input of another type',
      { 'onnx/model.onnx': tableModel({ inputs: { attention_mask: 'float32' } }) },
      'MODEL_UNSUPPORTED',
      /input "attention_mask" of .* is float32, expected int64 or int32/,
    ],
    [
      'an unknown operator',
      { 'onnx/model.onnx': tableModel({ operator: 'com.microsoft:Levitate' }) },
      'MODEL_UNSUPPORTED',
      /Levitate/,
    ],
    [
      'an unknown output',
      { 'onnx/model.onnx': tableModel({ output: 'logits' }) },
      'MODEL_UNSUPPORTED',
      /has the outputs logits, expected one of sentence_embedding/,
    ],
    [
      'another pooling',
      { '1_Pooling/config.json': { pooling_mode_max_tokens: true } },
      'MODEL_UNSUPPORTED',
      /requires pooling_mode_max_tokens, expected/,
    ],
  ])('for %s', async (_, files, code, message) => {
    await expect(prepareFp32(hubFolder(files))).rejects.toMatchObject({
      code,
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  test('for an invalid tokenizer', async () => {
    const folder = hubFolder({ 'tokenizer.json': { model: {} } });
    await expect(prepareFp32(folder)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  test('with an error that can be sent between threads', async () => {
    const error = await prepareFp32('/nowhere/at-all').catch((reason: unknown) => reason);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'EmbedError',
      code: 'MODEL_NOT_FOUND',
      retryable: false,
      message: 'cannot read "/nowhere/at-all/config.json" in the model folder',
    });
  });
});
