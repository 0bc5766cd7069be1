/** Prepares a model from a local folder in the hub's layout, with an ONNX file or with weights that are compiled. */

import { access, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Precision } from '@embedmill/contract';
import type { WeightLimit } from '../compile/quantize/integers.ts';
import { inspectModel } from '../embedder/session.ts';
import { EmbedError } from '../errors.ts';
import type { Pooling, PreparedModel } from '../types.ts';
import { compileFolder, WEIGHTS_FILE } from './compile-folder.ts';
import { fileDigest, fingerprintOf } from './fingerprint.ts';

/** Where the hub's converters put the file of each precision. */
const MODEL_FILES: Record<Precision, string> = { fp32: 'onnx/model.onnx', int8: 'onnx/model_quantized.onnx' };

/** Used when no file of the folder states a limit. */
const DEFAULT_MAX_TOKENS = 512;

/** What a compiled file depends on beside the folder. */
export interface CompileTerms {
  precision: Precision;
  cacheDir: string;
  weightLimit: WeightLimit;
}

/** A fact of the model and the file that states it. */
interface Stated<T> {
  value: T;
  source: string;
}

/**
 * Runs the folder's ONNX file of the precision; without one, compiles its safetensors weights. Takes about the time to
 * load the model once: it is opened to see what inputs it declares.
 * @throws EmbedError `MODEL_NOT_FOUND`, `MODEL_INVALID` or `MODEL_UNSUPPORTED`, naming the file, input or operator
 */
export async function prepareHubFolder(folder: string, terms: CompileTerms): Promise<PreparedModel> {
  const { precision } = terms;
  const root = resolve(folder);
  const onnxPath = join(root, MODEL_FILES[precision]);
  const tokenizerPath = join(root, 'tokenizer.json');
  const config = await readJson(join(root, 'config.json'));
  await mustExist(tokenizerPath, root);
  const isCompiled = !(await exists(onnxPath)) && (await exists(join(root, WEIGHTS_FILE)));
  if (!isCompiled) await mustExist(onnxPath, root);

  const asked = await readPooling(root);
  const limit = await readMaxTokens(root, config);
  const positions = config.max_position_embeddings;
  // Our own graph slices its table of positions, and has nothing behind its end.
  if (isCompiled && isLimit(positions) && limit.value > positions) {
    throw new EmbedError(
      'MODEL_INVALID',
      `${limit.source} of "${root}" says ${limit.value}, expected at most max_position_embeddings ${positions}`,
    );
  }
  const { modelPath, weights } = isCompiled
    ? await compileFolder({ root, config, pooling: asked.value, ...terms })
    : { modelPath: onnxPath, weights: await fileDigest(onnxPath) };
  const { dim, vectorOutput } = await inspectModel(modelPath);
  // An ONNX file with one vector per text has all modules in it; otherwise we pool, and nothing comes after.
  if (isCompiled || vectorOutput === 'tokens') await refuseFurtherModules(root);
  const pooling: Pooling = vectorOutput === 'sentence' ? 'in-graph' : asked.value;
  const ownPooling = isCompiled
    ? `compiled into the graph: ${asked.value}, by ${asked.source}`
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
      pooling: pooling === 'in-graph' ? ownPooling : asked.source,
      maxTokens: limit.source,
    },
  };
}

/** Without a Dense module that the authors trained, the vectors would look right and mean little. */
async function refuseFurtherModules(root: string): Promise<void> {
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

/** sentence-transformers' pooling module; a folder without one means the mean, as its library assumes. */
async function readPooling(root: string): Promise<Stated<'mean' | 'cls'>> {
  const source = '1_Pooling/config.json';
  const config = await readOptionalJson(join(root, source));
  const modes = Object.entries(config)
    .filter(([name, on]) => name.startsWith('pooling_mode_') && on === true)
    .map(([name]) => name);
  if (modes.length === 0) return { value: 'mean', source: 'no file: the default' };
  if (modes.length === 1 && modes[0] === 'pooling_mode_mean_tokens') return { value: 'mean', source };
  if (modes.length === 1 && modes[0] === 'pooling_mode_cls_token') return { value: 'cls', source };
  throw new EmbedError(
    'MODEL_UNSUPPORTED',
    `"${join(root, source)}" asks for ${modes.join(' + ')}, expected pooling_mode_mean_tokens or pooling_mode_cls_token`,
  );
}

/** The authors' own limit if they state one, else the tokenizer's and the position table's, whichever is less. */
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
  return limits[0] ?? { value: DEFAULT_MAX_TOKENS, source: 'no file: the default' };
}

/** Converters write 1e30 for "no limit". */
function isLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 2 && (value as number) <= 1_000_000;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function mustExist(path: string, root: string): Promise<void> {
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
    throw new EmbedError('MODEL_NOT_FOUND', `cannot read "${path}" of the model folder`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EmbedError('MODEL_INVALID', `"${path}" is not JSON`, { cause });
  }
}
