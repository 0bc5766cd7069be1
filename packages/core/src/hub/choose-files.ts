/**
 * Chooses the files of a repository that are worth fetching.
 *
 * Decision: docs/decisions/0165.
 */

import type { Precision } from '@embedmill/contract';
import { HubError } from './hub-error.ts';
import type { RepositoryFile } from './repository.ts';

/** A file to fetch, and its path in the model folder. */
export interface WantedFile extends RepositoryFile {
  target: string;
}

/** Small files that state how the model is used. Anchored, so no listed path leaves the folder. */
const SETTINGS =
  /^(config|tokenizer|tokenizer_config|special_tokens_map|modules|embedmill-model|sentence_bert_config|config_sentence_transformers)\.json$|^\d_[A-Za-z]{1,40}\/config\.json$/;

/** Settings beyond this size are not settings; tokenizers of 250,000 words have 17 MB. */
const MAX_SETTINGS_BYTES = 256 * 1024 * 1024;

/** Weights of each precision: the first that exists, with the path where `model add` expects it. */
const WEIGHTS: Readonly<Record<Precision, readonly (readonly [path: string, target: string])[]>> = {
  int8: [
    ['onnx/model_quantized.onnx', 'onnx/model_quantized.onnx'],
    ['onnx/model_int8.onnx', 'onnx/model_quantized.onnx'],
    ['model_quantized.onnx', 'onnx/model_quantized.onnx'],
    ['model.safetensors', 'model.safetensors'],
    ['onnx/model.onnx', 'onnx/model.onnx'],
    ['model.onnx', 'onnx/model.onnx'],
  ],
  fp32: [
    ['onnx/model.onnx', 'onnx/model.onnx'],
    ['model.safetensors', 'model.safetensors'],
    ['model.onnx', 'onnx/model.onnx'],
  ],
};

/** Model types whose safetensors weights Embedmill compiles itself. */
const COMPILED = new Set(['bert', 'model2vec']);

/**
 * The settings and one file of weights (with its external data).
 * @param modelType `model_type` of config.json
 * @throws {HubError} `hub-unsuitable` if Embedmill runs none of the files, with those that there are
 */
export function chooseFiles(
  files: readonly RepositoryFile[],
  { model, precision, modelType }: { model: string; precision: Precision; modelType: string | null },
): WantedFile[] {
  const weights = WEIGHTS[precision].find(
    ([path]) =>
      files.some((file) => file.path === path) &&
      (path !== 'model.safetensors' || (modelType !== null && COMPILED.has(modelType))),
  );
  if (weights === undefined) {
    const found = files
      .map(({ path }) => path)
      .filter((path) => /\.(onnx|safetensors|bin|gguf|h5|pt|ot)$/.test(path));
    throw new HubError(
      'hub-unsuitable',
      `${model} has no weights that Embedmill runs in ${precision}: expected onnx/model_quantized.onnx, onnx/model.onnx, or ` +
        `model.safetensors of a BERT or model2vec model, got ${found.slice(0, 8).join(', ') || 'no weights'}` +
        (modelType === null ? '' : ` of the type ${modelType}`),
    );
  }
  const [path, target] = weights;
  return [
    ...settingsOf(files, model),
    ...files.flatMap((file) => {
      if (file.path === path) return [{ ...file, target }];
      // The ONNX file names its external data, so the data keep their name.
      const isData = path.endsWith('.onnx') && (file.path === `${path}_data` || file.path === `${path}.data`);
      return isData ? [{ ...file, target: `onnx/${file.path.replace(/^onnx\//, '')}` }] : [];
    }),
  ];
}

/** The settings. @throws {HubError} `hub-unsuitable` without config.json or tokenizer.json */
export function settingsOf(files: readonly RepositoryFile[], model: string): WantedFile[] {
  const settings = files
    .filter(({ path, bytes }) => SETTINGS.test(path) && bytes <= MAX_SETTINGS_BYTES)
    .map((file) => ({ ...file, target: file.path }));
  for (const needed of ['config.json', 'tokenizer.json']) {
    if (settings.some(({ path }) => path === needed)) continue;
    throw new HubError(
      'hub-unsuitable',
      `${model} has no ${needed}; expected a sentence model with config.json and tokenizer.json`,
    );
  }
  return settings;
}
