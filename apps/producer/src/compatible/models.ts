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

/** Names of the built-in model on the Hugging Face Hub and in Ollama. */
const BUILT_IN_ALIASES = [BUILT_IN_MODEL, BUILT_IN_REPOSITORY, 'all-minilm'];

/** The setting that selects the model. */
type ModelSetting = Pick<Config, 'model'>;

/** The model of requests that name none: the name under which workers with the same settings run it. */
export function modelOf(config: ModelSetting): string {
  return config.model === undefined ? BUILT_IN_MODEL : servedModelName(config.model);
}

/** All names of the served model, the primary name first. Each may also end in Ollama's `:latest`. */
export function namesOf(config: ModelSetting): readonly string[] {
  if (config.model === undefined) return BUILT_IN_ALIASES;
  const repository = hubModelName(config.model)?.repository;
  return [...new Set([modelOf(config), ...(repository === undefined ? [] : [repository]), config.model])];
}

/** Whether a name means the served model; case-insensitive. */
export function isServedModel(given: string, config: ModelSetting): boolean {
  const name = given.toLowerCase().replace(/:latest$/, '');
  return namesOf(config).some((known) => known.toLowerCase() === name);
}

/**
 * @throws {RequestError} `unknown-model` for any name that does not mean the served model (facts: `model`)
 */
export function assertServedModel(given: string, config: ModelSetting): void {
  if (isServedModel(given, config)) return;
  throw new RequestError(
    'unknown-model',
    `unknown model ${quote(given)}; expected ${namesOf(config).join(', ')}`,
    { facts: { model: given.slice(0, 200) } },
  );
}
