/** Under which names callers may ask for the model of this fleet; the routes of every foreign API check with it. */

import { BUILT_IN_MODEL, quote, RequestError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { modelOf } from '../model.ts';

/** The names that the hub and Ollama have for the built-in model. */
const BUILT_IN_ALIASES = [BUILT_IN_MODEL, `sentence-transformers/${BUILT_IN_MODEL}`, 'all-minilm'];

/** Says which model workers have. */
type ModelSetting = Pick<Config, 'model'>;

/** All names of the model, its own first. Ollama's `:latest` fits every one of them. */
export function namesOf(config: ModelSetting): readonly string[] {
  return config.model === undefined ? BUILT_IN_ALIASES : [modelOf(config)];
}

/** True for a name of the model, in capitals or not. */
export function isModel(given: string, config: ModelSetting): boolean {
  const name = given.toLowerCase().replace(/:latest$/, '');
  return namesOf(config).some((known) => known.toLowerCase() === name);
}

/** @throws {RequestError} `unknown-model` for a name that the model does not have (facts: `model`) */
export function checkModel(given: string, config: ModelSetting): void {
  if (isModel(given, config)) return;
  throw new RequestError(
    'unknown-model',
    `there is no model ${quote(given)} here; expected ${namesOf(config).join(', ')}`,
    { facts: { model: given.slice(0, 200) } },
  );
}
