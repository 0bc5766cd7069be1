/** The model that this producer serves and the names that callers may use for it. */

import {
  BUILT_IN_MODEL,
  BUILT_IN_REPOSITORY,
  hubModelName,
  quote,
  RequestError,
  servedModelName,
} from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';

/** Usual names of the built-in model on the Hugging Face Hub (also of its ONNX copies) and in Ollama. */
const BUILT_IN_NAMES = [
  BUILT_IN_MODEL,
  BUILT_IN_REPOSITORY,
  'all-minilm',
  'all-minilm:l6-v2',
  'all-minilm:22m',
  'Xenova/all-MiniLM-L6-v2',
  'onnx-community/all-MiniLM-L6-v2-ONNX',
];

/** Name of the built-in model in lists for clients of Ollama. */
const BUILT_IN_OLLAMA_NAME = 'all-minilm';

/** The settings that select the model and its names. */
export type ModelSetting = Pick<Config, 'model' | 'modelAliases'>;

/** The model of requests that name none: the name under which workers with the same settings run it. */
export function modelOf(config: ModelSetting): string {
  return config.model === undefined ? BUILT_IN_MODEL : servedModelName(config.model);
}

/** All names of the served model, the primary name first. Each may also end in Ollama's `:latest`. */
export function namesOf(config: ModelSetting): readonly string[] {
  const aliases = config.modelAliases ?? [];
  if (config.model === undefined) return [...BUILT_IN_NAMES, ...aliases];
  const repository = hubModelName(config.model)?.repository;
  return [
    ...new Set([
      modelOf(config),
      ...(repository === undefined ? [] : [repository]),
      config.model,
      ...aliases,
    ]),
  ];
}

/** Names in model lists: the primary name, and those of `EMBEDMILL_MODEL_ALIASES`. */
export function listedNamesOf(config: ModelSetting): readonly string[] {
  return [...new Set([modelOf(config), ...(config.modelAliases ?? [])])];
}

/** Names in model lists for clients of Ollama, which all have a tag. */
export function ollamaNamesOf(config: ModelSetting): readonly string[] {
  const primary = config.model === undefined ? BUILT_IN_OLLAMA_NAME : modelOf(config);
  const names = [primary, ...(config.modelAliases ?? [])];
  return [...new Set(names.map((name) => (/:[^/]+$/.test(name) ? name : `${name}:latest`)))];
}

/** Whether a name means the served model; case-insensitive. */
export function isServedModel(given: string, config: ModelSetting): boolean {
  const name = given.toLowerCase();
  const untagged = name.replace(/:latest$/, '');
  return namesOf(config).some((known) => [name, untagged].includes(known.toLowerCase()));
}

/** The name under which workers serve a model: that of the served model for each of its names, else the name itself. */
export function workerModelOf(given: string, config: ModelSetting): string {
  return isServedModel(given, config) ? modelOf(config) : given;
}

/**
 * @throws {RequestError} `unknown-model` for any name that does not mean the served model (facts: `model`)
 */
export function assertServedModel(given: string, config: ModelSetting): void {
  if (isServedModel(given, config)) return;
  throw new RequestError(
    'unknown-model',
    `unknown model ${quote(given)}; expected ${namesOf(config).join(', ')}. EMBEDMILL_MODEL_ALIASES adds names`,
    { facts: { model: given.slice(0, 200) } },
  );
}
