/** Compiles a folder with BERT weights; `hub-folder.ts` calls it. */

import { join } from 'node:path';
import { compileExact } from '../compile/exact.ts';
import { fp32Arithmetic } from '../compile/graph/fp32.ts';
import { int8Arithmetic } from '../compile/graph/int8.ts';
import { type BertConfig, readBertWeights } from '../compile/weights/bert-weights.ts';
import { EmbedError } from '../errors.ts';
import type { Pooling } from '../types.ts';
import { type CompileOptions, GRAPH_REVISION } from './built-in.ts';
import { cachedFile } from './cache.ts';
import { exactFingerprint, fingerprintOf, weightsDigest } from './fingerprint.ts';
import { WEIGHTS_FILE } from './folder-files.ts';

/** A model folder and how to compile it. */
export interface FolderToCompile extends CompileOptions {
  /** Absolute path of the folder. */
  root: string;
  /** Weights relative to `root`: a safetensors file, or an ONNX file, which only the exact engine compiles. */
  weightsFile: string;
  /** Parsed `config.json` of the folder. */
  config: Record<string, unknown>;
  pooling: Exclude<Pooling, 'in-graph'>;
}

/** A compiled folder. */
export interface CompiledFolder {
  /** Absolute path of the ONNX file, or of the weight file of the exact engine. */
  modelPath: string;
  /** Hash that stands for the file in the fingerprint. */
  weights: string;
  /** Floats per vector. */
  dim: number;
}

/** Sizes that the graph is built from; a config must have all of them. */
const SIZES = [
  'hidden_size',
  'intermediate_size',
  'num_attention_heads',
  'num_hidden_layers',
  'max_position_embeddings',
  'type_vocab_size',
  'vocab_size',
] as const;

/**
 * Compiles a folder into the cache if needed. Without recorded activations there is no smoothing, so that
 * int8 is less exact than that of the built-in model; `embedmill model check` measures the difference.
 * @throws {EmbedError} `MODEL_UNSUPPORTED` if the model is not BERT or has a shape that the engine does not
 * take, `MODEL_INVALID` if sizes or tensors do not match
 */
export async function compileFolder(folder: FolderToCompile): Promise<CompiledFolder> {
  const { root, weightsFile, pooling, precision, cacheDir, weightLimit, engine } = folder;
  const config = readBertConfig(join(root, 'config.json'), folder.config);
  const weightsPath = join(root, weightsFile);
  // What handles ONNX files is loaded on demand, as in `built-in.ts`.
  const read = async () =>
    weightsFile === WEIGHTS_FILE
      ? await readBertWeights(weightsPath, config)
      : await (await import('../compile/weights/onnx-weights.ts')).readOnnxBertWeights(weightsPath, config);
  const parts = {
    ...config,
    pooling,
    precision,
    weights: await weightsDigest(weightsPath, cacheDir),
  };
  const dim = config.hidden_size;
  if (engine.engine === 'exact') {
    const weights = exactFingerprint(parts);
    const modelPath = await cachedFile(cacheDir, `bert-exact-${weights}.bin`, async () =>
      compileExact(await read(), null, pooling),
    );
    return { modelPath, weights, dim };
  }
  const weights = fingerprintOf({
    ...parts,
    graph: GRAPH_REVISION,
    ...(precision === 'int8' && { weightLimit }),
  });
  const modelPath = await cachedFile(cacheDir, `bert-${precision}-${weights}.onnx`, async () => {
    const { buildBertGraph } = await import('../compile/graph/bert.ts');
    const arithmetic = precision === 'fp32' ? fp32Arithmetic() : int8Arithmetic(null, weightLimit);
    return buildBertGraph(await read(), arithmetic, { pooling }).onnx;
  });
  return { modelPath, weights, dim };
}

function readBertConfig(path: string, config: Record<string, unknown>): BertConfig {
  for (const [field, expected] of [
    ['model_type', 'bert'],
    ['hidden_act', 'gelu'],
    ['position_embedding_type', 'absolute'],
  ] as const) {
    const given = config[field] ?? expected;
    if (given !== expected) {
      throw new EmbedError(
        'MODEL_UNSUPPORTED',
        `"${path}" has ${field} ${JSON.stringify(given)}, expected "${expected}"; other architectures need an ONNX file in the folder "onnx"`,
      );
    }
  }
  const size = (field: (typeof SIZES)[number]): number => {
    const value = config[field];
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw new EmbedError(
      'MODEL_INVALID',
      `"${path}" has ${field} ${JSON.stringify(value)}, expected a positive whole number`,
    );
  };
  const sizes = Object.fromEntries(SIZES.map((field) => [field, size(field)])) as Omit<
    BertConfig,
    'layer_norm_eps'
  >;
  if (sizes.hidden_size % sizes.num_attention_heads !== 0) {
    throw new EmbedError(
      'MODEL_INVALID',
      `"${path}" has hidden_size ${sizes.hidden_size}, expected a multiple of num_attention_heads ${sizes.num_attention_heads}`,
    );
  }
  // Default of BertConfig in transformers.
  const epsilon = config.layer_norm_eps ?? 1e-12;
  if (typeof epsilon === 'number' && epsilon > 0) return { ...sizes, layer_norm_eps: epsilon };
  throw new EmbedError(
    'MODEL_INVALID',
    `"${path}" has layer_norm_eps ${JSON.stringify(epsilon)}, expected a number above 0`,
  );
}
