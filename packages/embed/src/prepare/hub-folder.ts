/** Prepares a model from a local folder in the hub's layout: nothing is compiled, the folder's ONNX file is run. */
import { access, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { inspectModel } from '../embedder/session.ts';
import { EmbedError } from '../errors.ts';
import type { Pooling, Precision, PreparedModel } from '../types.ts';
import { fileDigest, fingerprintOf } from './fingerprint.ts';

/** Where the hub's converters put the file of each precision. */
const MODEL_FILES: Record<Precision, string> = { fp32: 'onnx/model.onnx', int8: 'onnx/model_quantized.onnx' };

/** Used when no file of the folder states a limit. */
const DEFAULT_MAX_TOKENS = 512;

/**
 * Takes about the time to load the model once: it is opened to see what inputs it declares.
 * @throws EmbedError `MODEL_NOT_FOUND`, `MODEL_INVALID` or `MODEL_UNSUPPORTED`, naming the file, input or operator
 */
export async function prepareHubFolder(folder: string, precision: Precision): Promise<PreparedModel> {
  const root = resolve(folder);
  const modelPath = join(root, MODEL_FILES[precision]);
  const tokenizerPath = join(root, 'tokenizer.json');
  const config = await readJson(join(root, 'config.json'));
  await mustExist(tokenizerPath, root);
  await mustExist(modelPath, root);

  const { dim, vectorOutput } = await inspectModel(modelPath);
  const pooling = vectorOutput === 'sentence' ? 'in-graph' : await readPooling(root);
  const maxTokens = await readMaxTokens(root, config);
  return {
    name: basename(root),
    precision,
    fingerprint: fingerprintOf({
      precision,
      pooling,
      maxTokens,
      weights: await fileDigest(modelPath),
      tokenizer: await fileDigest(tokenizerPath),
    }),
    modelPath,
    tokenizerPath,
    dim,
    maxTokens,
    pooling,
    optimization: 'all',
    goldenSet: 'none',
  };
}

/** sentence-transformers' pooling module; a folder without one means the mean, as its library assumes. */
async function readPooling(root: string): Promise<Pooling> {
  const config = await readOptionalJson(join(root, '1_Pooling/config.json'));
  const modes = Object.entries(config)
    .filter(([name, on]) => name.startsWith('pooling_mode_') && on === true)
    .map(([name]) => name);
  if (modes.length === 0 || (modes.length === 1 && modes[0] === 'pooling_mode_mean_tokens')) return 'mean';
  if (modes.length === 1 && modes[0] === 'pooling_mode_cls_token') return 'cls';
  throw new EmbedError(
    'MODEL_UNSUPPORTED',
    `"${join(root, '1_Pooling/config.json')}" asks for ${modes.join(' + ')}, expected pooling_mode_mean_tokens or pooling_mode_cls_token`,
  );
}

/** The authors' own limit if they state one, else the tokenizer's and the position table's, whichever is less. */
async function readMaxTokens(root: string, config: Record<string, unknown>): Promise<number> {
  const sentenceConfig = await readOptionalJson(join(root, 'sentence_bert_config.json'));
  if (isLimit(sentenceConfig.max_seq_length)) return sentenceConfig.max_seq_length;
  const tokenizerConfig = await readOptionalJson(join(root, 'tokenizer_config.json'));
  const limits = [tokenizerConfig.model_max_length, config.max_position_embeddings].filter(isLimit);
  return limits.length > 0 ? Math.min(...limits) : DEFAULT_MAX_TOKENS;
}

/** Converters write 1e30 for "no limit". */
function isLimit(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 2 && (value as number) <= 1_000_000;
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
  return access(path).then(
    () => readJson(path),
    () => ({}),
  );
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
