/**
 * The models that were added by name, as folders in the hub's layout; `prepareModel` and the command line look names
 * up here. Imports nothing of ONNX Runtime, so that a command can check a name before it loads the engine.
 */

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BUILT_IN_MODEL } from '@embedmill/contract';
import { EmbedError } from '../errors.ts';

/** What a name may look like: no path, nothing hidden, and nothing that a shell would read. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** The files of a model's folder that we read, or that an ONNX file may refer to. */
const KEPT = /^(onnx(\/.*)?|1_Pooling(\/config\.json)?|[^/]+\.json|model\.safetensors)$/;

const addedRoot = (cacheDir: string) => join(cacheDir, 'models');

/**
 * The folder that a name or path means: an added model's when `model` is the name of one, none for the built-in model,
 * else the path itself, which need not exist. `./name` is always a path.
 */
export function modelFolder(model: string, cacheDir: string): string | undefined {
  if (model === BUILT_IN_MODEL) return undefined;
  const added = join(addedRoot(cacheDir), model);
  return NAME.test(model) && isFolder(added) ? added : resolve(model);
}

/** Names of the added models, sorted; none when nothing was ever added. */
export async function addedModels(cacheDir: string): Promise<string[]> {
  const entries = await readdir(addedRoot(cacheDir), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/**
 * Copies a model's folder, all or nothing, and returns the copy. Links are followed, as the hub's own cache consists
 * of them. The caller has seen to it that the model can be run.
 * @throws EmbedError `MODEL_INVALID` for a name that cannot be or that is taken, `CACHE_UNWRITABLE`
 */
export async function keepModel(folder: string, name: string, cacheDir: string): Promise<string> {
  if (!NAME.test(name)) {
    throw new EmbedError(
      'MODEL_INVALID',
      `the name "${name}" cannot be; expected letters, digits, ".", "_" and "-", a letter or digit first`,
    );
  }
  const target = join(addedRoot(cacheDir), name);
  if (name === BUILT_IN_MODEL || isFolder(target)) throw taken(name);
  const source = resolve(folder);
  // Begins with a dot, so that a copy that was cut off is never listed.
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
    // Another command was faster: rename does not replace a folder that has files.
    if (isFolder(target)) throw taken(name);
    throw new EmbedError('CACHE_UNWRITABLE', `cannot copy the model "${source}" to "${target}"`, { cause });
  }
  return target;
}

function taken(name: string): EmbedError {
  return new EmbedError('MODEL_INVALID', `there is a model "${name}" already; give another name`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
