/** Reads the modules of sentence-transformers in a model folder: pooling, and which modules are not supported. */

import { join } from 'node:path';
import { EmbedError } from '../errors.ts';
import { assertFile, readOptionalJson } from './folder-files.ts';

/** A property of the model and the file that states it. */
export interface Stated<T> {
  value: T;
  source: string;
}

/** Folder of the pooling module if no modules.json names it. */
const POOLING_FOLDER = '1_Pooling';

/** Names of supported poolings, in the two notations of sentence-transformers. */
const POOLINGS: Record<string, 'mean' | 'cls'> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  mean: 'mean',
  cls: 'cls',
};

interface Module {
  type?: unknown;
  path?: unknown;
}

async function readModules(root: string): Promise<Module[]> {
  return Object.values(await readOptionalJson(join(root, 'modules.json'))) as Module[];
}

/** Throws for a module such as Dense: without it the vectors would look valid and be wrong. */
export async function assertKnownModules(root: string): Promise<void> {
  for (const { type } of await readModules(root)) {
    if (/\.(Transformer|Pooling|Normalize)$/.test(String(type))) continue;
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `"${join(root, 'modules.json')}" has a module ${JSON.stringify(type)}, expected Transformer, Pooling and Normalize`,
    );
  }
}

/**
 * Reads the pooling module; a folder without one uses the mean, like sentence-transformers.
 * @throws {EmbedError} `MODEL_NOT_FOUND` if modules.json names a file that is missing, `MODEL_UNSUPPORTED` for
 * another pooling than mean or first token
 */
export async function readPooling(root: string): Promise<Stated<'mean' | 'cls'>> {
  const module = (await readModules(root)).find(({ type }) => /\.Pooling$/.test(String(type)));
  const source = `${typeof module?.path === 'string' ? module.path : POOLING_FOLDER}/config.json`;
  if (module !== undefined) {
    await assertFile(root, source).catch((cause: unknown) => {
      const error = cause as EmbedError;
      throw new EmbedError(error.code, `${error.message}, which its modules.json names`, { cause });
    });
  }
  const config = await readOptionalJson(join(root, source));
  const modes = [
    ...Object.entries(config)
      .filter(([name, on]) => name.startsWith('pooling_mode_') && on === true)
      .map(([name]) => name),
    ...(typeof config.pooling_mode === 'string' ? [config.pooling_mode] : []),
  ];
  if (modes.length === 0 && module === undefined)
    return { value: 'mean', source: 'default, no file states it' };
  const value = modes.length === 1 ? POOLINGS[modes[0]!] : undefined;
  const path = join(root, source);
  if (value === undefined) {
    throw new EmbedError(
      'MODEL_UNSUPPORTED',
      `"${path}" requires ${modes.join(' + ') || 'no pooling'}, expected pooling_mode_mean_tokens or pooling_mode_cls_token`,
    );
  }
  if (config.include_prompt === false) {
    throw new EmbedError('MODEL_UNSUPPORTED', `"${path}" has include_prompt false, expected true`);
  }
  return { value, source };
}
