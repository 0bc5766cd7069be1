/**
 * Prepares a model from a folder in the layout of the Hugging Face Hub, with an ONNX file or with weights to
 * compile.
 */

import { basename, join, relative, resolve } from 'node:path';
import { MAX_POSITIONS } from '@embedmill/engine';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import type { CompileOptions } from './built-in.ts';
import { describeEngine } from './choose-engine.ts';
import { compileFolder } from './compile-folder.ts';
import { exactFingerprint, fingerprintOf, tokenizerDigest, weightsDigest } from './fingerprint.ts';
import {
  assertFile,
  exists,
  findOnnxFile,
  noModelFile,
  ONNX_FILES,
  readJson,
  readOptionalJson,
  WEIGHTS_FILE,
} from './folder-files.ts';
import { assertKnownModules, readPooling, type Stated } from './folder-modules.ts';
import { NO_PROMPTS, readPrompts } from './model-prompts.ts';
import { withOnnxFingerprint } from './onnx-fingerprint.ts';
import { tokenizerHeapMb } from './tokenizer-heap.ts';

/** Weights that the exact engine compiles: the first that exists, from exact to quantized. */
const EXACT_SOURCES = [WEIGHTS_FILE, ...ONNX_FILES.fp32, ...ONNX_FILES.int8];

/**
 * Revision of `TextTokenizer`, part of the fingerprint: increase it whenever a tokenizer of a folder gives other
 * ids.
 */
const TOKENIZING_REVISION = 2;

/** Families whose positions begin after the id of the padding token, like RoBERTa's. */
const OFFSET_POSITIONS = /^(roberta|xlm-roberta|camembert|mpnet|xlm-roberta-xl)$/;

/** Token limit if no file of the folder states one. */
const DEFAULT_MAX_TOKENS = 512;

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
  'engine' | 'kernel' | 'modelPath' | 'dim' | 'pooling' | 'optimization' | 'firstPosition'
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
  await assertFile(root, 'tokenizer.json');
  assertNotQuantized(root, config);
  const stated: Folder = {
    root,
    config,
    pooling: await readPooling(root),
    maxTokens: await readMaxTokens(root, config),
  };
  const { weights, sources, ...files } = await prepareFiles(stated, options);
  const { value: maxTokens, source } = stated.maxTokens;
  const prompts = await readPrompts(root);
  const model = {
    ...files,
    name: basename(root),
    precision,
    tokenizerPath,
    heapMb: await tokenizerHeapMb(tokenizerPath),
    maxTokens,
    goldenSet: 'none',
    prompts: prompts.value,
    sources: {
      ...sources,
      engine: describeEngine(engine),
      maxTokens: source,
      prompts: prompts.source,
    },
  } as const;
  const parts = {
    precision,
    pooling: files.pooling,
    maxTokens,
    weights,
    tokenizer: await tokenizerDigest(tokenizerPath),
    // Models without prompts keep their fingerprint.
    ...(prompts.value !== NO_PROMPTS && { prompts: JSON.stringify(prompts.value) }),
    tokenizing: TOKENIZING_REVISION,
  };
  if (files.engine === 'exact') return { ...model, fingerprint: exactFingerprint(parts) };
  return await withOnnxFingerprint(model, fingerprintOf(parts));
}

async function prepareFiles(folder: Folder, options: CompileOptions): Promise<PreparedFiles> {
  const { root } = folder;
  const { precision, engine } = options;
  if (engine.engine === 'exact') {
    for (const file of EXACT_SOURCES) {
      if (!(await exists(join(root, file)))) continue;
      await assertFile(root, file);
      return await compileWeights(folder, file, options);
    }
  }
  const onnxFile = await findOnnxFile(root, precision);
  if (onnxFile !== undefined) return await inspectFile(folder, join(root, onnxFile), options.cacheDir);
  if (!(await exists(join(root, WEIGHTS_FILE)))) throw await noModelFile(root, precision);
  await assertFile(root, WEIGHTS_FILE);
  return await compileWeights(folder, WEIGHTS_FILE, options);
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
async function inspectFile(
  { root, config, pooling }: Folder,
  onnxPath: string,
  cacheDir: string,
): Promise<PreparedFiles> {
  const { inspectModel } = await import('../embedder/session.ts');
  const { dim, vectorOutput } = await inspectModel(onnxPath);
  // An ONNX file with one vector per text contains all modules; otherwise pooling is the last step.
  const isPooled = vectorOutput === 'sentence';
  if (!isPooled) await assertKnownModules(root);
  return {
    engine: 'onnx',
    modelPath: onnxPath,
    weights: await weightsDigest(onnxPath, cacheDir),
    dim,
    pooling: isPooled ? 'in-graph' : pooling.value,
    optimization: 'all',
    firstPosition: firstPosition(config),
    sources: {
      weights: relative(root, onnxPath),
      pooling: isPooled ? 'the ONNX file' : pooling.source,
    },
  };
}

/** Position of the first token in the position table of the model. */
function firstPosition({ model_type: type, pad_token_id: padding }: Record<string, unknown>): number {
  // The default padding of these families is 1.
  return OFFSET_POSITIONS.test(String(type)) ? Number(padding ?? 1) + 1 : 0;
}

/** Throws for weights that only the library that quantized them can read. */
function assertNotQuantized(
  root: string,
  { quantization_config: quantization }: Record<string, unknown>,
): void {
  if (quantization === undefined || quantization === null) return;
  const method = Object(quantization).quant_method ?? quantization;
  throw new EmbedError(
    'MODEL_UNSUPPORTED',
    `"${join(root, 'config.json')}" has quantized weights (${JSON.stringify(method)}), expected float32, float16 or bfloat16`,
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
    { value: Number(config.max_position_embeddings) - firstPosition(config), source: 'config.json' },
  ].filter((limit): limit is Stated<number> => isLimit(limit.value));
  limits.sort((a, b) => a.value - b.value);
  return limits[0] ?? { value: DEFAULT_MAX_TOKENS, source: 'default, no file states it' };
}

/** Returns true for a usable limit; converters write 1e30 for "no limit". */
function isLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 2 && (value as number) <= 1_000_000;
}
