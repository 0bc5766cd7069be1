/** A small BERT with random weights: its folder, and its vectors computed with plain loops. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/folder.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tokenizerFile } from './colours.ts';

/** Sizes that all differ from those of the built-in model. */
export const SMALL = {
  model_type: 'bert',
  hidden_act: 'gelu',
  hidden_size: 24,
  intermediate_size: 40,
  num_attention_heads: 3,
  num_hidden_layers: 2,
  max_position_embeddings: 12,
  type_vocab_size: 1,
  vocab_size: 7,
  layer_norm_eps: 1e-12,
};

type Tensors = Map<string, { shape: number[]; values: Float32Array }>;

/** Returns the tensors of a BERT of these sizes; gains are near 1, all others near 0. */
export function smallTensors(): Tensors {
  const random = seededRandom(11);
  const tensors: Tensors = new Map();
  const add = (name: string, shape: number[], middle = 0) => {
    const size = shape.reduce((product, each) => product * each, 1);
    tensors.set(name, {
      shape,
      values: Float32Array.from({ length: size }, () => middle + (random() - 0.5)),
    });
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [SMALL.hidden_size], 1);
    add(`${name}.bias`, [SMALL.hidden_size]);
  };
  const dense = (name: string, inputs: number, outputs: number) => {
    add(`${name}.weight`, [outputs, inputs]);
    add(`${name}.bias`, [outputs]);
  };
  const { hidden_size: hidden, intermediate_size: inner } = SMALL;
  add('embeddings.word_embeddings.weight', [SMALL.vocab_size, hidden]);
  add('embeddings.position_embeddings.weight', [SMALL.max_position_embeddings, hidden]);
  add('embeddings.token_type_embeddings.weight', [SMALL.type_vocab_size, hidden]);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < SMALL.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) dense(`${at}.attention.self.${part}`, hidden, hidden);
    dense(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    dense(`${at}.intermediate.dense`, hidden, inner);
    dense(`${at}.output.dense`, inner, hidden);
    norm(`${at}.output.LayerNorm`);
  }
  return tensors;
}

/** Writes a folder with these weights as safetensors and no ONNX file. */
export function smallBertFolder(files: Record<string, object> = {}): string {
  const root = join(temporaryFolder(), 'small-bert');
  mkdirSync(join(root, '1_Pooling'), { recursive: true });
  for (const [name, content] of Object.entries({
    'config.json': SMALL,
    'tokenizer.json': tokenizerFile,
    ...files,
  })) {
    writeFileSync(join(root, name), JSON.stringify(content));
  }
  const header: Record<string, object> = {};
  const bodies: Buffer[] = [];
  let end = 0;
  for (const [name, { shape, values }] of smallTensors()) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
    bodies.push(Buffer.from(values.buffer));
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  writeFileSync(join(root, 'model.safetensors'), Buffer.concat([length, json, ...bodies]));
  return root;
}

/**
 * Computes the states after the last layer, tokens × hidden, as in "BERT" (Devlin et al. 2018), in float64.
 */
export function smallBertStates(ids: readonly number[]): number[][] {
  const tensors = smallTensors();
  const values = (name: string) => tensors.get(name)!.values;
  const { hidden_size: hidden, num_attention_heads: heads } = SMALL;
  const size = hidden / heads;
  const row = (name: string, index: number) =>
    Array.from(values(name).subarray(index * hidden, (index + 1) * hidden));
  const sum = (...vectors: number[][]) =>
    vectors[0]!.map((_, i) => vectors.reduce((all, v) => all + v[i]!, 0));
  const dense = (name: string, input: number[]) =>
    Array.from(values(`${name}.bias`), (bias, output) =>
      input.reduce((all, x, i) => all + x * values(`${name}.weight`)[output * input.length + i]!, bias),
    );
  const norm = (name: string, input: number[]) => {
    const mean = input.reduce((all, x) => all + x, 0) / hidden;
    const spread = Math.sqrt(
      input.reduce((all, x) => all + (x - mean) ** 2, 0) / hidden + SMALL.layer_norm_eps,
    );
    return input.map(
      (x, i) => ((x - mean) / spread) * values(`${name}.weight`)[i]! + values(`${name}.bias`)[i]!,
    );
  };
  let states = ids.map((id, at) =>
    norm(
      'embeddings.LayerNorm',
      sum(
        row('embeddings.word_embeddings.weight', id),
        row('embeddings.position_embeddings.weight', at),
        row('embeddings.token_type_embeddings.weight', 0),
      ),
    ),
  );
  for (let layer = 0; layer < SMALL.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const [queries, keys, vals] = ['query', 'key', 'value'].map((part) =>
      states.map((state) => dense(`${at}.attention.self.${part}`, state)),
    ) as [number[][], number[][], number[][]];
    states = states.map((state, token) => {
      const context = Array.from({ length: hidden }, () => 0);
      for (let head = 0; head < heads; head++) {
        const dims = Array.from({ length: size }, (_, i) => head * size + i);
        const weights = keys.map((key) =>
          Math.exp(dims.reduce((all, i) => all + queries[token]![i]! * key[i]!, 0) / Math.sqrt(size)),
        );
        const total = weights.reduce((all, weight) => all + weight, 0);
        for (const i of dims) context[i] = vals.reduce((all, v, n) => all + (weights[n]! / total) * v[i]!, 0);
      }
      const middle = norm(
        `${at}.attention.output.LayerNorm`,
        sum(dense(`${at}.attention.output.dense`, context), state),
      );
      const wide = dense(`${at}.intermediate.dense`, middle).map(gelu);
      return norm(`${at}.output.LayerNorm`, sum(dense(`${at}.output.dense`, wide), middle));
    });
  }
  return states;
}

/** Computes x Φ(x), with Φ by its Taylor series, which converges for the small values here. */
function gelu(x: number): number {
  let term = x;
  let series = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    series += term / (2 * n + 1);
  }
  return x * (0.5 + series / Math.sqrt(2 * Math.PI));
}
