/** BERT folders without an ONNX file: compiled by our own graph builder, and what is said when that cannot be. */

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
  test('gives the vectors that plain loops give, with the mean over its tokens', async () => {
    const vector = await vectorFrom(smallBertFolder(), 'fp32');
    for (const [i, value] of mean.entries()) expect(vector[i]).toBeCloseTo(value, 5);
  });

  test('gives the first token’s when its pooling asks for it', async () => {
    const vector = await vectorFrom(smallBertFolder({ '1_Pooling/config.json': CLS }), 'fp32');
    for (const [i, value] of first.entries()) expect(vector[i]).toBeCloseTo(value, 5);
  });

  test('gives int8 without recorded activations, near fp32', async () => {
    expect(cosine(await vectorFrom(smallBertFolder(), 'int8'), mean)).toBeGreaterThan(0.99);
  });

  test('tells its sizes, and which file states each', async () => {
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
        pooling: 'compiled into the graph: mean, by no file: the default',
        maxTokens: 'sentence_bert_config.json',
      },
    });
  });

  test('has a fingerprint that follows pooling, limit and precision', async () => {
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
      'a size that the weights do not have',
      { vocab_size: 8 },
      'MODEL_INVALID',
      /has shape 7x24, expected 8x24/,
    ],
    [
      'heads that do not divide',
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

  test('is refused for a limit beyond its positions', async () => {
    const folder = smallBertFolder({ 'sentence_bert_config.json': { max_seq_length: 13 } });
    await expect(prepare(folder, 'fp32')).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/says 13, expected at most max_position_embeddings 12/),
    });
  });

  test('is refused for a module behind the pooling, which would not be applied', async () => {
    const modules = (...names: string[]) => ({
      'modules.json': names.map((name) => ({ type: `sentence_transformers.models.${name}` })),
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
