/**
 * Stores models that users add or pull under a name, as folders in the layout of the Hugging Face Hub.
 *
 * `prepareModel` and the command line look up names here. The file does not import ONNX Runtime, so that a
 * command can check a name before it loads the engine.
 *
 * Decision: docs/decisions/0110.
 */

import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  BUILT_IN_MODEL,
  BUILT_IN_REPOSITORY,
  catalogueModelOf,
  hubModelName,
  type ModelName,
  type ScoreBaseline,
  STATIC_MODEL,
} from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import { readRecord, writeRecord } from './model-record.ts';

export { readRecord, writeRecord } from './model-record.ts';

/** Valid names: no paths, no hidden files, no characters special to a shell. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Files of a model folder that are copied: those that are read, and those that an ONNX file may reference.
 */
const KEPT = /^(onnx(\/.*)?|\d+_\w+(\/config\.json)?|[^/]+\.json|model\.safetensors|[^/]+\.onnx([._]data)?)$/;

const addedRoot = (cacheDir: string) => join(cacheDir, 'models');

/**
 * Resolves a name or path to a folder: the folder of an installed model if `model` is its name, its repository
 * (`owner/name`, optionally `@revision`) or its short name in the catalogue, undefined for the built-in model,
 * else the absolute path, which need not exist. `./name` is always a path.
 */
export function modelFolder(model: string, cacheDir: string): string | undefined {
  if (model === BUILT_IN_MODEL || model === BUILT_IN_REPOSITORY) return undefined;
  const added = join(addedRoot(cacheDir), model);
  if (NAME.test(model) && isFolder(added)) return added;
  const path = resolve(model);
  const name = isFolder(path) ? null : hubModelName(model);
  return (name === null ? undefined : pulledFolder(name, cacheDir)) ?? path;
}

/** Folder of the model that was pulled from a repository; undefined if there is none of this revision. */
function pulledFolder({ repository, revision }: ModelName, cacheDir: string): string | undefined {
  return addedFolders(cacheDir).find((folder) => {
    const record = readRecord(folder);
    if (record === null || ![record.repository, record.pulledAs].includes(repository)) return false;
    return revision === null || [record.revision, record.commit].includes(revision);
  });
}

function addedFolders(cacheDir: string): string[] {
  const root = addedRoot(cacheDir);
  if (!isFolder(root)) return [];
  return readdirSync(root)
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => join(root, name));
}

/**
 * Folder in which the files of a pull are collected. Its name starts with a dot, so that it is never listed, and
 * stays the same, so that an interrupted pull continues.
 */
export function pullFolder({ repository }: ModelName, cacheDir: string): string {
  return join(addedRoot(cacheDir), `.pull-${repository.replace('/', '--')}`);
}

/** Folder that a model of this name has or would have. @throws {EmbedError} `MODEL_INVALID` for an invalid name */
export function installedFolder(name: string, cacheDir: string): string {
  assertName(name);
  return join(addedRoot(cacheDir), name);
}

/**
 * Gives a pulled folder its name. The caller has already checked that the model runs.
 * @throws {EmbedError} `MODEL_INVALID` if the name is taken, `CACHE_UNWRITABLE`
 */
export async function installPulled(folder: string, name: string, cacheDir: string): Promise<string> {
  const target = installedFolder(name, cacheDir);
  if (name === BUILT_IN_MODEL || isFolder(target)) throw taken(name);
  await rename(folder, target).catch((cause: unknown) => {
    throw isFolder(target)
      ? taken(name)
      : new EmbedError('CACHE_UNWRITABLE', `cannot rename "${folder}" to "${target}"`, { cause });
  });
  return target;
}

/** Returns the names of the added models, sorted. */
export async function addedModels(cacheDir: string): Promise<string[]> {
  const entries = await readdir(addedRoot(cacheDir), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Facts that were measured when a model was added; a file in its folder. */
export interface ModelFactsFile {
  /** Mean and standard deviation of the cosine of unrelated texts. */
  baseline: ScoreBaseline;
  /** Languages whose sentences the model relates. */
  languages: string[];
}

const FACTS_FILE = 'embedmill.json';

/**
 * The baseline of the built-in model, int8; a unit test measures it again.
 */
const BUILT_IN_FACTS: ModelFactsFile = {
  baseline: { mean: 0.094, spread: 0.0786, pairs: 28 },
  languages: ['English'],
};

/** Stores what was measured in the folder of a model. */
export async function writeModelFacts(folder: string, facts: ModelFactsFile): Promise<void> {
  await writeFile(join(folder, FACTS_FILE), `${JSON.stringify(facts)}\n`);
}

/** Returns what was measured of the built-in or an added model; undefined for a folder that was not added. */
export async function readModelFacts(
  model: string | undefined,
  cacheDir: string,
): Promise<ModelFactsFile | undefined> {
  const folder = modelFolder(model ?? BUILT_IN_MODEL, cacheDir);
  if (folder === undefined) return BUILT_IN_FACTS;
  const text = await readFile(join(folder, FACTS_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

/**
 * Copies a model folder atomically and returns the path of the copy. Symbolic links are followed, because the
 * cache of the Hub consists of them. The caller has already checked that the model runs.
 * @param facts what the caller measured; stored with the copy
 * @throws {EmbedError} `MODEL_INVALID` if the name is invalid or taken, `CACHE_UNWRITABLE`
 */
export async function keepModel(
  folder: string,
  name: string,
  cacheDir: string,
  facts?: ModelFactsFile,
): Promise<string> {
  const target = installedFolder(name, cacheDir);
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
    const known = readRecord(copy) === null ? catalogueModelOf(basename(source)) : undefined;
    // Under another name the folder would no longer show whose prompts the model needs.
    if (known?.repository) {
      await writeRecord(copy, {
        repository: known.repository,
        pulledAs: null,
        revision: null,
        commit: null,
        endpoint: null,
        installedAt: new Date().toISOString(),
        files: [],
      });
    }
    if (facts !== undefined) await writeModelFacts(copy, facts);
    await rename(copy, target);
  } catch (cause) {
    await rm(copy, { recursive: true, force: true });
    // Another command was first: rename does not replace a folder that has files.
    if (isFolder(target)) throw taken(name);
    throw new EmbedError('CACHE_UNWRITABLE', `cannot copy the model "${source}" to "${target}"`, { cause });
  }
  return target;
}

function assertName(name: string): void {
  if (NAME.test(name)) return;
  throw new EmbedError(
    'MODEL_INVALID',
    `invalid model name "${name}"; expected letters, digits, ".", "_" and "-", starting with a letter or digit`,
  );
}

function taken(name: string): EmbedError {
  return new EmbedError('MODEL_INVALID', `a model named "${name}" already exists; choose another name`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
