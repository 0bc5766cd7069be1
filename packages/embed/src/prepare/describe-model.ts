/** Facts of a prepared model that workers announce, so that producers need not open it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN_MODEL, builtInScripts, type ModelPrompts, type ScoreBaseline } from '@embedmill/contract';
import { TextTokenizer } from '../text/tokenizer.ts';
import type { PreparedModel } from '../types.ts';
import { modelFolder, readModelFacts } from './added-models.ts';

/** What is announced of a model. */
export interface AnnouncedModel {
  name: string;
  fingerprint: string;
  /** Floats per vector. */
  dim: number;
  /** Maximum tokens per text, special tokens included. */
  maxTokens: number;
  prompts: ModelPrompts;
  /** Scripts of which its vocabulary has words, sorted. */
  scripts: readonly string[];
  /** Cosines of unrelated texts; `null` if they were not measured, as for a folder that was not added. */
  baseline: ScoreBaseline | null;
}

/**
 * Describes a prepared model.
 * @param model what it was prepared from: a name or folder; undefined for the built-in model
 * @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID` for its tokenizer
 */
export async function describeModel(
  prepared: PreparedModel,
  model: string | undefined,
  cacheDir: string,
): Promise<AnnouncedModel> {
  const { name, fingerprint, dim, maxTokens, prompts, tokenizerPath } = prepared;
  const facts = await readModelFacts(model, cacheDir);
  // Without opening the tokenizer of the built-in models, so that workers with them start as fast as before.
  const scripts = builtInScripts(name) ?? (await TextTokenizer.read(tokenizerPath, maxTokens)).knownScripts();
  return { name, fingerprint, dim, maxTokens, prompts, scripts, baseline: facts?.baseline ?? null };
}

/**
 * Returns the scripts of which the vocabulary of a model has words, without preparing the model.
 * @param model name or folder
 * @returns undefined if there is no such folder
 * @throws {EmbedError} `MODEL_INVALID` for its tokenizer
 */
export async function readModelScripts(
  model: string,
  cacheDir: string,
): Promise<readonly string[] | undefined> {
  const folder = modelFolder(model, cacheDir);
  if (folder === undefined) return builtInScripts(BUILT_IN_MODEL);
  const path = join(folder, 'tokenizer.json');
  return existsSync(path) ? (await TextTokenizer.read(path, 1)).knownScripts() : undefined;
}
