/**
 * Stores models that users add under a name, as folders in the layout of the Hugging Face Hub.
 *
 * `prepareModel` and the command line look up names here. The file does not import ONNX Runtime, so that a
 * command can check a name before it loads the engine.
 *
 * Decision: docs/decisions/0110.
 */

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BUILT_IN_MODEL, STATIC_MODEL } from '@embedmill/contract';
import { EmbedError } from '../errors.ts';

/** Valid names: no paths, no hidden files, no characters special to a shell. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Files of a model folder that are copied: those that are read, and those that an ONNX file may reference.
 */
const KEPT = /^(onnx(\/.*)?|1_Pooling(\/config\.json)?|[^/]+\.json|model\.safetensors)$/;

const addedRoot = (cacheDir: string) => join(cacheDir, 'models');

/**
 * Resolves a name or path to a folder: the folder of an added model if `model` is its name, undefined for the
 * built-in model, else the absolute path, which need not exist. `./name` is always a path.
 */
export function modelFolder(model: string, cacheDir: string): string | undefined {
  if (model === BUILT_IN_MODEL) return undefined;
  const added = join(addedRoot(cacheDir), model);
  return NAME.test(model) && isFolder(added) ? added : resolve(model);
}

/** Returns the names of the added models, sorted. */
export async function addedModels(cacheDir: string): Promise<string[]> {
  const entries = await readdir(addedRoot(cacheDir), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/**
 * Copies a model folder atomically and returns the path of the copy. Symbolic links are followed, because the
 * cache of the Hub consists of them. The caller has already checked that the model runs.
 * @throws {EmbedError} `MODEL_INVALID` if the name is invalid or taken, `CACHE_UNWRITABLE`
 */
export async function keepModel(folder: string, name: string, cacheDir: string): Promise<string> {
  if (!NAME.test(name)) {
    throw new EmbedError(
      'MODEL_INVALID',
      `invalid model name "${name}"; expected letters, digits, ".", "_" and "-", starting with a letter or digit`,
    );
  }
  const target = join(addedRoot(cacheDir), name);
  if (name === BUILT_IN_MODEL || name === STATIC_MODEL || isFolder(target)) throw taken(name);
  const source = resolve(folder);
  // Starts with a dot, so that an interrupted copy is never listed.
  const copy = join(addedRoot(cacheDir), `.${name}.${randomUUID()}`);
  try {
    await mkdir(dirname(copy), { recursive: true });
    await cp(source, copy, {
      recursive: true,
      dereference: true,
      filter: (path) => path === source || KEPT.test(path.slice(source.length + 1).replaceAll('\\', '/')),
    });
    await rename(copy, target);
  } catch (cause) {
    await rm(copy, { recursive: true, force: true });
    // Another command was first: rename does not replace a folder that has files.
    if (isFolder(target)) throw taken(name);
    throw new EmbedError('CACHE_UNWRITABLE', `cannot copy the model "${source}" to "${target}"`, { cause });
  }
  return target;
}

function taken(name: string): EmbedError {
  return new EmbedError('MODEL_INVALID', `a model named "${name}" already exists; choose another name`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
