/**
 * Prepares static models: a folder in the layout of model2vec, or the one that is made from the built-in model.
 *
 * Decisions: docs/decisions/0171 and 0172.
 */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Precision, STATIC_MODEL } from '@embedmill/contract';
import { DISTILL_REVISION, distill } from '../distill/distill.ts';
import { Embedder } from '../embedder/embedder.ts';
import { STATIC_REVISION } from '../embedder/static-runner.ts';
import { readStaticTable, staticTableFile } from '../embedder/static-table.ts';
import { EmbedError } from '../errors.ts';
import type { PreparedModel } from '../types.ts';
import { type CompileOptions, prepareBuiltIn } from './built-in.ts';
import { cachedFile } from './cache.ts';
import { chooseEngine } from './choose-engine.ts';
import { fileDigest } from './file-digest.ts';
import { fingerprintOf, tokenizerDigest } from './fingerprint.ts';
import { NO_PROMPTS } from './model-prompts.ts';
import { tokenizerHeapMb } from './tokenizer-heap.ts';

/** Token limit of model2vec, known tokens only. */
const MAX_TOKENS = 512;

/** Dimensions of the built-in static model. */
const BUILT_IN_DIM = 256;

/** Fields of every static model. */
const COMMON = {
  prompts: NO_PROMPTS,
  engine: 'static',
  maxTokens: MAX_TOKENS,
  pooling: 'mean',
  optimization: 'basic',
  goldenSet: 'none',
} as const;

const SOURCES = {
  prompts: 'static models take none',
  engine: 'static: means of token vectors',
  pooling: 'static models',
  maxTokens: 'default of model2vec',
};

/** Returns true for a folder whose config.json names a static model. */
export async function isStaticFolder(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}');
  try {
    const { model_type, architectures } = JSON.parse(text);
    return model_type === 'model2vec' || [architectures].flat().includes('StaticModel');
  } catch {
    // Whoever reads the folder as another model reports the file.
    return false;
  }
}

/**
 * Prepares a folder. Its vectors do not depend on the precision.
 * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID`
 */
export async function prepareStaticFolder(folder: string, precision: Precision): Promise<PreparedModel> {
  const root = resolve(folder);
  const modelPath = join(root, 'model.safetensors');
  const tokenizerPath = join(root, 'tokenizer.json');
  const { dim } = await readStaticTable(modelPath);
  await stat(tokenizerPath).catch((cause: unknown) => {
    throw new EmbedError('MODEL_NOT_FOUND', `the model folder "${root}" has no "tokenizer.json"`, { cause });
  });
  return {
    ...COMMON,
    name: basename(root),
    precision,
    fingerprint: await staticFingerprint(await fileDigest(modelPath), tokenizerPath),
    modelPath,
    tokenizerPath,
    heapMb: await tokenizerHeapMb(tokenizerPath),
    dim,
    sources: { ...SOURCES, weights: 'model.safetensors' },
  };
}

/**
 * Makes the static model of the built-in one in the cache if it is missing there, which takes about 15 seconds.
 * @throws {EmbedError} `ENGINE_UNAVAILABLE` if it is missing and the exact engine does not run here: other engines
 * would give other bytes
 */
export async function prepareBuiltInStatic(
  options: Pick<CompileOptions, 'cacheDir' | 'weightLimit' | 'precision'>,
): Promise<PreparedModel> {
  const { cacheDir, precision } = options;
  const engine = chooseEngine({ engine: 'exact', kernel: 'auto', precision: 'int8' });
  const source = await prepareBuiltIn({ ...options, precision: 'int8', engine });
  const weights = staticWeights(source);
  const modelPath = await cachedFile(cacheDir, `${STATIC_MODEL}-${weights}.safetensors`, async () => {
    const table = await makeStaticTable(source);
    await assertRecorded(weights, table);
    return table;
  });
  return {
    ...COMMON,
    name: STATIC_MODEL,
    precision,
    fingerprint: await staticFingerprint(weights, source.tokenizerPath),
    modelPath,
    tokenizerPath: source.tokenizerPath,
    heapMb: source.heapMb,
    dim: BUILT_IN_DIM,
    sources: { ...SOURCES, weights: `made from ${source.name}` },
  };
}

/** Returns the hash that stands for the table of the built-in static model. */
export function staticWeights(source: PreparedModel): string {
  return fingerprintOf({ source: source.fingerprint, distill: DISTILL_REVISION, dim: BUILT_IN_DIM });
}

/** Makes the table. Equal vectors of `source` give equal bytes. */
export async function makeStaticTable(source: PreparedModel): Promise<Uint8Array> {
  const embedder = await Embedder.open(source);
  try {
    const { rows, dim } = await distill(embedder, { dim: BUILT_IN_DIM });
    return staticTableFile(rows, dim);
  } finally {
    await embedder.close();
  }
}

/** The record of the table of the built-in static model, which `scripts/record-golden.mjs` writes. */
export const STATIC_RECORD_PATH = new URL('../../data/static-model.json', import.meta.url);

/** Throws if the table differs from the recorded one: this machine would give other vectors than all others. */
async function assertRecorded(weights: string, table: Uint8Array): Promise<void> {
  const recorded: { weights: string; sha256: string } = JSON.parse(
    await readFile(STATIC_RECORD_PATH, 'utf8'),
  );
  const sha256 = createHash('sha256').update(table).digest('hex');
  if (recorded.weights === weights && recorded.sha256 === sha256) return;
  throw new EmbedError(
    'MODEL_INVALID',
    `the static model made here (${weights}, SHA-256 ${sha256}) differs from the recorded one (${recorded.weights}, ${recorded.sha256})`,
  );
}

async function staticFingerprint(weights: string, tokenizerPath: string): Promise<string> {
  return fingerprintOf({
    engine: 'static',
    arithmetic: STATIC_REVISION,
    maxTokens: MAX_TOKENS,
    weights,
    tokenizer: await tokenizerDigest(tokenizerPath),
  });
}
