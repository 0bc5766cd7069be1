/**
 * Prepares a model from a folder in the layout of the Hugging Face Hub, with an ONNX file or with weights to
 * compile.
 */

import { access, readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Precision } from '@embedmill/contract';
import { MAX_POSITIONS } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import type { CompileOptions } from './built-in.ts';
import { describeEngine } from './choose-engine.ts';
import { compileFolder, WEIGHTS_FILE } from './compile-folder.ts';
import { exactFingerprint, fingerprintOf, tokenizerDigest, weightsDigest } from './fingerprint.ts';
import { withOnnxFingerprint } from './onnx-fingerprint.ts';

/** Path of the file of each precision, as the converters of the Hub write it. */
const MODEL_FILES: Record<Precision, string> = { fp32: 'onnx/model.onnx', int8: 'onnx/model_quantized.onnx' };

/** Weights that the exact engine compiles: the first that exists, from exact to quantized. */
const EXACT_SOURCES = [WEIGHTS_FILE, MODEL_FILES.fp32, MODEL_FILES.int8];

/** Token limit if no file of the folder states one. */
const DEFAULT_MAX_TOKENS = 512;

/** A property of the model and the file that states it. */
interface Stated<T> {
  value: T;
  source: string;
}

/** What the files of a folder state. */
interface Folder {
  /** Absolute path. */
  root: string;
  config: Record<string, unknown>;
  pooling: Stated<'mean' | 'cls'>;
  maxTokens: Stated<number>;
}

/** The files of a model and how to open them, before its fingerprint is known. */
type PreparedFiles = Pick<
  PreparedModel,
  'engine' | 'kernel' | 'modelPath' | 'dim' | 'pooling' | 'optimization'
> & {
  /** Hash of the weights. */
  weights: string;
  sources: Pick<PreparedModel['sources'], 'weights' | 'pooling'>;
};

/**
 * Prepares a folder. The exact engine compiles the safetensors weights, else those of an ONNX file. ONNX Runtime
 * takes the ONNX file of the precision, else compiles the safetensors weights. Running an ONNX file takes about as
 * long as loading the model twice.
 * @throws {EmbedError} `MODEL_NOT_FOUND`, `MODEL_INVALID` or `MODEL_UNSUPPORTED`, with the file, input or
 * operator
 */
export async function prepareHubFolder(folder: string, options: CompileOptions): Promise<PreparedModel> {
  const { precision, engine } = options;
  const root = resolve(folder);
  const tokenizerPath = join(root, 'tokenizer.json');
  const config = await readJson(join(root, 'config.json'));
  await assertExists(tokenizerPath, root);
  const stated: Folder = {
    root,
    config,
    pooling: await readPooling(root),
    maxTokens: await readMaxTokens(root, config),
  };
  const { weights, sources, ...files } = await prepareFiles(stated, options);
  const { value: maxTokens, source } = stated.maxTokens;
  const model = {
    ...files,
    name: basename(root),
    precision,
    tokenizerPath,
    maxTokens,
    goldenSet: 'none',
    sources: { ...sources, engine: describeEngine(engine), maxTokens: source },
  } as const;
  const parts = {
    precision,
    pooling: files.pooling,
    maxTokens,
    weights,
    tokenizer: await tokenizerDigest(tokenizerPath),
  };
  if (files.engine === 'exact') return { ...model, fingerprint: exactFingerprint(parts) };
  return await withOnnxFingerprint(model, fingerprintOf(parts));
}

async function prepareFiles(folder: Folder, options: CompileOptions): Promise<PreparedFiles> {
  const { root } = folder;
  const onnxPath = join(root, MODEL_FILES[options.precision]);
  if (options.engine.engine === 'exact') {
    for (const file of EXACT_SOURCES) {
      if (await exists(join(root, file))) return await compileWeights(folder, file, options);
    }
    await assertExists(onnxPath, root);
  }
  if (!(await exists(onnxPath)) && (await exists(join(root, WEIGHTS_FILE)))) {
    return await compileWeights(folder, WEIGHTS_FILE, options);
  }
  await assertExists(onnxPath, root);
  return await inspectFile(folder, onnxPath);
}

/** Compiles the weights in a file for the engine. */
async function compileWeights(
  folder: Folder,
  weightsFile: string,
  options: CompileOptions,
): Promise<PreparedFiles> {
  const { root, config, pooling, maxTokens } = folder;
  const { engine } = options;
  const positions = config.max_position_embeddings;
  const isExact = engine.engine === 'exact';
  // A compiled model cannot read past the end of its position table.
  if (isLimit(positions) && maxTokens.value > positions) {
    throw new EmbedError(
      'MODEL_INVALID',
      `${maxTokens.source} of "${root}" says ${maxTokens.value}, expected at most max_position_embeddings ${positions}`,
    );
  }
  if (isExact && maxTokens.value > MAX_POSITIONS) {
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `the exact engine reads at most ${MAX_POSITIONS} tokens; ${maxTokens.source} of "${root}" says ${maxTokens.value}`,
    );
  }
  await assertKnownModules(root);
  const { modelPath, weights, dim } = await compileFolder({
    root,
    weightsFile,
    config,
    pooling: pooling.value,
    ...options,
  });
  return {
    engine: engine.engine,
    ...(isExact && { kernel: engine.kernel }),
    modelPath,
    weights,
    dim,
    pooling: 'in-graph',
    optimization: 'basic',
    sources: {
      weights: `${weightsFile}, compiled`,
      pooling: `compiled into the graph: ${pooling.value} (${pooling.source})`,
    },
  };
}

/** Reads the inputs and outputs of an ONNX file by opening it. */
async function inspectFile({ root, pooling }: Folder, onnxPath: string): Promise<PreparedFiles> {
  const { inspectModel } = await import('../embedder/session.ts');
  const { dim, vectorOutput } = await inspectModel(onnxPath);
  // An ONNX file with one vector per text contains all modules; otherwise pooling is the last step.
  const isPooled = vectorOutput === 'sentence';
  if (!isPooled) await assertKnownModules(root);
  return {
    engine: 'onnx',
    modelPath: onnxPath,
    weights: await weightsDigest(onnxPath),
    dim,
    pooling: isPooled ? 'in-graph' : pooling.value,
    optimization: 'all',
    sources: {
      weights: relative(root, onnxPath),
      pooling: isPooled ? 'the ONNX file' : pooling.source,
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
