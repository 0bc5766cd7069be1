/**
 * Prepares a model from a folder in the layout of the Hugging Face Hub, with an ONNX file or with weights to
 * compile.
 */

import { access, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Precision } from '@embedmill/contract';
import type { WeightLimit } from '../compile/quantize/integers.ts';
import { inspectModel } from '../embedder/session.ts';
import { EmbedError } from '../errors.ts';
import type { Pooling, PreparedModel } from '../types.ts';
import { compileFolder, WEIGHTS_FILE } from './compile-folder.ts';
import { fileDigest, fingerprintOf } from './fingerprint.ts';

/** Path of the file of each precision, as the converters of the Hub write it. */
const MODEL_FILES: Record<Precision, string> = { fp32: 'onnx/model.onnx', int8: 'onnx/model_quantized.onnx' };

/** Token limit if no file of the folder states one. */
const DEFAULT_MAX_TOKENS = 512;

/** Options of `prepareHubFolder`. */
export interface CompileOptions {
  precision: Precision;
  cacheDir: string;
  weightLimit: WeightLimit;
}

/** A property of the model and the file that states it. */
interface Stated<T> {
  value: T;
  source: string;
}

/**
 * Prepares the ONNX file of the precision or, if the folder has none, compiles its safetensors weights. Takes
 * about as long as loading the model once, because the model is opened to read its inputs and outputs.
 * @throws {EmbedError} `MODEL_NOT_FOUND`, `MODEL_INVALID` or `MODEL_UNSUPPORTED`, with the file, input or
 * operator
 */
export async function prepareHubFolder(folder: string, options: CompileOptions): Promise<PreparedModel> {
  const { precision } = options;
  const root = resolve(folder);
  const onnxPath = join(root, MODEL_FILES[precision]);
  const tokenizerPath = join(root, 'tokenizer.json');
  const config = await readJson(join(root, 'config.json'));
  await assertExists(tokenizerPath, root);
  const isCompiled = !(await exists(onnxPath)) && (await exists(join(root, WEIGHTS_FILE)));
  if (!isCompiled) await assertExists(onnxPath, root);

  const stated = await readPooling(root);
  const limit = await readMaxTokens(root, config);
  const positions = config.max_position_embeddings;
  // The compiled graph slices its position table and cannot read past the end.
  if (isCompiled && isLimit(positions) && limit.value > positions) {
    throw new EmbedError(
      'MODEL_INVALID',
      `${limit.source} of "${root}" says ${limit.value}, expected at most max_position_embeddings ${positions}`,
    );
  }
  const { modelPath, weights } = isCompiled
    ? await compileFolder({ root, config, pooling: stated.value, ...options })
    : { modelPath: onnxPath, weights: await fileDigest(onnxPath) };
  const { dim, vectorOutput } = await inspectModel(modelPath);
  // An ONNX file with one vector per text contains all modules; otherwise pooling is the last step.
  if (isCompiled || vectorOutput === 'tokens') await assertKnownModules(root);
  const pooling: Pooling = vectorOutput === 'sentence' ? 'in-graph' : stated.value;
  const ownPooling = isCompiled
    ? `compiled into the graph: ${stated.value} (${stated.source})`
    : 'the ONNX file';
  return {
    name: basename(root),
    precision,
    fingerprint: fingerprintOf({
      precision,
      pooling,
      maxTokens: limit.value,
      weights,
      tokenizer: await fileDigest(tokenizerPath),
    }),
    modelPath,
    tokenizerPath,
    dim,
    maxTokens: limit.value,
    pooling,
    optimization: isCompiled ? 'basic' : 'all',
    goldenSet: 'none',
    sources: {
      weights: isCompiled ? `${WEIGHTS_FILE}, compiled` : MODEL_FILES[precision],
      pooling: pooling === 'in-graph' ? ownPooling : stated.source,
      maxTokens: limit.source,
    },
  };
}

/** Throws for a module such as Dense: without it the vectors would look valid and be wrong. */
async function assertKnownModules(root: string): Promise<void> {
  const path = join(root, 'modules.json');
  const modules = Object.values(await readOptionalJson(path)) as { type?: unknown }[];
  for (const { type } of modules) {
    if (/\.(Transformer|Pooling|Normalize)$/.test(String(type))) continue;
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `"${path}" has a module ${JSON.stringify(type)}, expected Transformer, Pooling and Normalize`,
    );
  }
}

/**
 * Reads the pooling module of sentence-transformers; a folder without one uses the mean, like that library.
 */
async function readPooling(root: string): Promise<Stated<'mean' | 'cls'>> {
  const source = '1_Pooling/config.json';
  const config = await readOptionalJson(join(root, source));
  const modes = Object.entries(config)
    .filter(([name, on]) => name.startsWith('pooling_mode_') && on === true)
    .map(([name]) => name);
  if (modes.length === 0) return { value: 'mean', source: 'default, no file states it' };
  if (modes.length === 1 && modes[0] === 'pooling_mode_mean_tokens') return { value: 'mean', source };
  if (modes.length === 1 && modes[0] === 'pooling_mode_cls_token') return { value: 'cls', source };
  throw new EmbedError(
    'MODEL_UNSUPPORTED',
    `"${join(root, source)}" requires ${modes.join(' + ')}, expected pooling_mode_mean_tokens or pooling_mode_cls_token`,
  );
}

/**
 * Reads the limit that the authors state, else the smaller of the tokenizer's and the position table's
 * limits.
 */
async function readMaxTokens(root: string, config: Record<string, unknown>): Promise<Stated<number>> {
  const sentenceConfig = await readOptionalJson(join(root, 'sentence_bert_config.json'));
  if (isLimit(sentenceConfig.max_seq_length)) {
    return { value: sentenceConfig.max_seq_length, source: 'sentence_bert_config.json' };
  }
  const tokenizerConfig = await readOptionalJson(join(root, 'tokenizer_config.json'));
  const limits = [
    { value: tokenizerConfig.model_max_length, source: 'tokenizer_config.json' },
    { value: config.max_position_embeddings, source: 'config.json' },
  ].filter((limit): limit is Stated<number> => isLimit(limit.value));
  limits.sort((a, b) => a.value - b.value);
  return limits[0] ?? { value: DEFAULT_MAX_TOKENS, source: 'default, no file states it' };
}

/** Returns true for a usable limit; converters write 1e30 for "no limit". */
function isLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 2 && (value as number) <= 1_000_000;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function assertExists(path: string, root: string): Promise<void> {
  await access(path).catch((cause: unknown) => {
    throw new EmbedError(
      'MODEL_NOT_FOUND',
      `the model folder "${root}" has no "${path.slice(root.length + 1)}"`,
      {
        cause,
      },
    );
  });
}

async function readOptionalJson(path: string): Promise<Record<string, unknown>> {
  return (await exists(path)) ? readJson(path) : {};
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EmbedError('MODEL_NOT_FOUND', `cannot read "${path}" in the model folder`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EmbedError('MODEL_INVALID', `"${path}" is not JSON`, { cause });
  }
}
