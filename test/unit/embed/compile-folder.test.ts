/** Tests BERT folders without an ONNX file: compilation by the graph builder, and errors. */

import { Embedder, prepareModel } from '@embedmill/embed';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { cosine, vectorOf } from './models.ts';
import { SMALL, smallBertFolder, smallBertStates } from './small-bert.ts';

const CLS = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
/** [CLS] red red blue green [SEP] */
const IDS = [2, 4, 4, 6, 5, 3];
const TEXT = 'red red blue green';

const prepare = (model: string, precision: 'int8' | 'fp32') =>
  prepareModel({ model, precision, cacheDir: temporaryFolder() });

async function vectorFrom(folder: string, precision: 'int8' | 'fp32'): Promise<Float32Array> {
  const embedder = await Embedder.open(await prepare(folder, precision));
  onTestFinished(() => embedder.close());
  return vectorOf(embedder, TEXT);
}

function unit(values: number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

const states = smallBertStates(IDS);
const mean = unit(states[0]!.map((_, i) => states.reduce((sum, state) => sum + state[i]!, 0)));
const first = unit(states[0]!);

describe('a BERT folder with safetensors', () => {
  test('has the vectors that plain loops compute, with the mean over its tokens', async () => {
    const vector = await vectorFrom(smallBertFolder(), 'fp32');
    for (const [i, value] of mean.entries()) expect(vector[i]).toBeCloseTo(value, 5);
  });

  test('has the vector of the first token if its pooling says so', async () => {
    const vector = await vectorFrom(smallBertFolder({ '1_Pooling/config.json': CLS }), 'fp32');
    for (const [i, value] of first.entries()) expect(vector[i]).toBeCloseTo(value, 5);
  });

  test('has int8 vectors near fp32 without recorded activations', async () => {
    expect(cosine(await vectorFrom(smallBertFolder(), 'int8'), mean)).toBeGreaterThan(0.99);
  });

  test('reports its sizes and the file that states each', async () => {
    const model = await prepare(
      smallBertFolder({ 'sentence_bert_config.json': { max_seq_length: 9 } }),
      'fp32',
    );
    expect(model).toMatchObject({
      name: 'small-bert',
      dim: 24,
      maxTokens: 9,
      pooling: 'in-graph',
      sources: {
        weights: 'model.safetensors, compiled',
        pooling: 'compiled into the graph: mean (default, no file states it)',
        maxTokens: 'sentence_bert_config.json',
      },
    });
  });

  test('has a fingerprint that depends on pooling, limit and precision', async () => {
    const models = await Promise.all([
      prepare(smallBertFolder(), 'fp32'),
      prepare(smallBertFolder(), 'fp32'),
      prepare(smallBertFolder({ '1_Pooling/config.json': CLS }), 'fp32'),
      prepare(smallBertFolder({ 'sentence_bert_config.json': { max_seq_length: 9 } }), 'fp32'),
      prepare(smallBertFolder(), 'int8'),
    ]);
    const [one, again, ...others] = models.map(({ fingerprint }) => fingerprint);
    expect(again).toBe(one);
    expect(new Set([one, ...others]).size).toBe(4);
  });

  test.each([
    [
      'another kind of model',
      { model_type: 'roberta' },
      'MODEL_UNSUPPORTED',
      /has model_type "roberta", expected "bert"/,
    ],
    [
      'another activation',
      { hidden_act: 'relu' },
      'MODEL_UNSUPPORTED',
      /has hidden_act "relu", expected "gelu"/,
    ],
    ['a size that is missing', { vocab_size: undefined }, 'MODEL_INVALID', /has vocab_size undefined/],
    [
      'a size that differs from the weights',
      { vocab_size: 8 },
      'MODEL_INVALID',
      /has shape 7x24, expected 8x24/,
    ],
    [
      'a size that the heads do not divide',
      { num_attention_heads: 5 },
      'MODEL_INVALID',
      /expected a multiple of num_attention_heads 5/,
    ],
    ['layers that are not there', { num_hidden_layers: 3 }, 'MODEL_INVALID', /no tensor "encoder.layer.2/],
  ])('is refused for %s', async (_, change, code, message) => {
    const folder = smallBertFolder({ 'config.json': { ...SMALL, ...change } });
    await expect(prepare(folder, 'fp32')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('is rejected for a limit beyond its positions', async () => {
    const folder = smallBertFolder({ 'sentence_bert_config.json': { max_seq_length: 13 } });
    await expect(prepare(folder, 'fp32')).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/says 13, expected at most max_position_embeddings 12/),
    });
  });

  test('is rejected for a module after the pooling, which would not be applied', async () => {
    const modules = (...names: string[]) => ({
      'modules.json': names.map((name) => ({ type: `sentence_transformers.models.${name}` })),
      '1_Pooling/config.json': { pooling_mode_mean_tokens: true },
    });
    await prepare(smallBertFolder(modules('Transformer', 'Pooling', 'Normalize')), 'fp32');
    await expect(
      prepare(smallBertFolder(modules('Transformer', 'Pooling', 'Dense')), 'fp32'),
    ).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringMatching(/has a module "sentence_transformers.models.Dense", expected/),
    });
  });
});
