/** The weights of a BERT encoder by role, in the layout that the graph builder needs. */

import type { Dense, EncoderLayer, Norm } from '@embedmill/engine';
import { type FloatTensor, Safetensors } from './safetensors.ts';

/** The fields of a BERT `config.json` that shape the graph. */
export interface BertConfig {
  hidden_size: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_hidden_layers: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  vocab_size: number;
  layer_norm_eps: number;
}

/** All weights of a BERT encoder. */
export interface BertWeights {
  config: BertConfig;
  /** Word embeddings, vocabulary × hidden. */
  words: FloatTensor;
  /**
   * Position embeddings, positions × hidden, with token type 0 already added: a single text has no other
   * type.
   */
  positions: FloatTensor;
  embeddingNorm: Norm;
  layers: EncoderLayer[];
}

/**
 * Reads the tensors of a safetensors file under their PyTorch names.
 * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID` if a tensor is missing or has another shape
 */
export async function readBertWeights(path: string, config: BertConfig): Promise<BertWeights> {
  const file = await Safetensors.read(path);
  const { hidden_size: hidden, intermediate_size: inner } = config;

  const vector = (name: string, size: number) => file.tensor(name, [size]).values;
  const dense = (name: string, inputs: number, outputs: number): Dense => ({
    inputs,
    outputs,
    weight: transpose(file.tensor(`${name}.weight`, [outputs, inputs])),
    bias: vector(`${name}.bias`, outputs),
  });
  const norm = (name: string): Norm => ({
    gain: vector(`${name}.weight`, hidden),
    bias: vector(`${name}.bias`, hidden),
  });
  const layer = (index: number): EncoderLayer => {
    const at = `encoder.layer.${index}`;
    return {
      query: dense(`${at}.attention.self.query`, hidden, hidden),
      key: dense(`${at}.attention.self.key`, hidden, hidden),
      value: dense(`${at}.attention.self.value`, hidden, hidden),
      attentionOutput: dense(`${at}.attention.output.dense`, hidden, hidden),
      attentionNorm: norm(`${at}.attention.output.LayerNorm`),
      intermediate: dense(`${at}.intermediate.dense`, hidden, inner),
      output: dense(`${at}.output.dense`, inner, hidden),
      outputNorm: norm(`${at}.output.LayerNorm`),
    };
  };

  const positions = file.tensor('embeddings.position_embeddings.weight', [
    config.max_position_embeddings,
    hidden,
  ]);
  const types = file.tensor('embeddings.token_type_embeddings.weight', [config.type_vocab_size, hidden]);
  return {
    config,
    words: file.tensor('embeddings.word_embeddings.weight', [config.vocab_size, hidden]),
    positions: {
      ...positions,
      values: positions.values.map((value, i) => value + types.values[i % hidden]!),
    },
    embeddingNorm: norm('embeddings.LayerNorm'),
    layers: Array.from({ length: config.num_hidden_layers }, (_, index) => layer(index)),
  };
}

/** Returns the values of a matrix of columns × rows. */
export function transpose({ shape, values }: FloatTensor): Float32Array {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
