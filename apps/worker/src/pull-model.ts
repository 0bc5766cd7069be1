/** Pulls a model from a hub and installs it; `embedmill model pull`, commands and workers call it. */

import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import {
  BUILT_IN_MODEL,
  hubModelName,
  type ModelName,
  type Precision,
  quote,
  RequestError,
} from '@embedmill/contract';
import { HubError, type HubSettings, hubOptionsOf, type PullProgress, pullFiles } from '@embedmill/core/hub';
import type { Config } from '@embedmill/core/process';
import type { PreparedPrecisions } from '@embedmill/embed';
import {
  installedFolder,
  installPulled,
  modelFolder,
  pullFolder,
  readRecord,
  writeModelFacts,
  writeRecord,
} from '@embedmill/embed/added-models';

/** The settings that a pull needs. */
type PullSettings = HubSettings & Pick<Config, 'cacheDir' | 'engine' | 'kernel'>;

/** What to pull, and how. */
export interface PullModelOptions {
  /** `owner/name` with or without `@revision`, or a short name of the catalogue. */
  model: string;
  /** Name of the installed model. Default: the part after the slash. */
  name?: string | undefined;
  /** Precision whose weights are fetched. Default int8. */
  precision?: Precision;
  config: PullSettings;
  onProgress: (progress: PullProgress) => void;
  signal: AbortSignal;
}

/** The result of a pull. */
export interface InstalledModel extends Pick<PreparedPrecisions, 'unavailable'> {
  name: string;
  repository: string;
  commit: string;
  folder: string;
  bytes: number;
  /** Bytes that came from the cache of other tools. */
  reusedBytes: number;
}

/**
 * Whether `model` is a name on the hub that is not installed: neither a folder nor an installed model nor the
 * built-in one.
 */
export function isMissing(model: string, { cacheDir }: Pick<Config, 'cacheDir'>): boolean {
  const folder = modelFolder(model, cacheDir);
  return folder !== undefined && !existsSync(folder) && hubModelName(model) !== null;
}

/**
 * Pulls a model, tries and measures it on sentences, and installs it under its name.
 * @throws {HubError} when it cannot be pulled; {RequestError} `invalid-model-name` or `model-installed`
 * @throws {EmbedError} when Embedmill cannot run it
 */
export async function pullModel(options: PullModelOptions): Promise<InstalledModel> {
  const { model, precision = 'int8', config, onProgress, signal } = options;
  const { cacheDir } = config;
  const wanted = hubModelName(model);
  if (wanted === null) {
    throw new RequestError(
      'invalid-model-name',
      `${quote(model, 200)} is not the name of a model; expected owner/name such as intfloat/multilingual-e5-small, ` +
        'with @revision if wanted, or a short name (embedmill model catalogue)',
    );
  }
  const { repository, revision } = wanted;
  const { name = repository.split('/')[1]! } = options;
  assertFree(name, wanted, cacheDir);
  const folder = pullFolder(wanted, cacheDir);
  const hub = hubOptionsOf(config);
  const { commit, files, bytes, reusedBytes } = await pullFiles({
    name: wanted,
    precision,
    hub,
    folder,
    onProgress,
    signal,
  });
  await removeOthers(folder, files);
  // A producer also serves the record of its model, with the authors' name.
  const origin = readRecord(folder)?.repository ?? repository;
  await writeRecord(folder, {
    repository: origin,
    pulledAs: repository,
    revision,
    commit,
    endpoint: hub.endpoint,
    installedAt: new Date().toISOString(),
    files,
  });
  // Loaded on use, so that a message about the network does not wait for ONNX Runtime.
  const { EmbedError, measureFacts, prepareEach, tryEach } = await import('@embedmill/embed');
  try {
    const { prepared, unavailable } = await prepareEach(folder, config);
    await tryEach(prepared);
    const { baseline, languages } = await measureFacts(prepared[0]!);
    await writeModelFacts(folder, { baseline, languages });
    const installed = await installPulled(folder, name, cacheDir);
    return {
      name,
      repository,
      commit,
      folder: installed,
      bytes,
      reusedBytes,
      unavailable: unavailable.map(({ precision: other, reason }) => ({
        precision: other,
        reason: reason.replaceAll(folder, installed),
      })),
    };
  } catch (error) {
    if (!(error instanceof EmbedError) || !error.code.startsWith('MODEL_')) throw error;
    // A later attempt would end the same way.
    await rm(folder, { recursive: true, force: true });
    const problem = error.message.replaceAll(folder, repository);
    throw new EmbedError(error.code, `${repository} was pulled but does not run: ${problem}`, {
      cause: error,
    });
  }
}

/** @throws {RequestError} `model-installed` if the name is taken */
function assertFree(name: string, { repository, revision }: ModelName, cacheDir: string): void {
  const target = installedFolder(name, cacheDir);
  if (name === BUILT_IN_MODEL) {
    throw new RequestError(
      'model-installed',
      `${BUILT_IN_MODEL} is built in and needs no pull; choose another name with --name for a model that is called so`,
    );
  }
  if (!existsSync(target)) return;
  const record = readRecord(target);
  const origin =
    record === null
      ? 'from a folder'
      : `${record.repository}${record.commit === null ? '' : ` at ${record.commit}`}`;
  const isSame =
    record !== null &&
    [record.repository, record.pulledAs].includes(repository) &&
    (revision === null || [record.revision, record.commit].includes(revision));
  throw new RequestError(
    'model-installed',
    isSame
      ? `${quote(name)} is installed already (${origin}); remove ${target} to pull it again`
      : `a model named ${quote(name)} is installed already (${origin}); choose another name with --name`,
  );
}

/** Removes what an earlier pull of another commit or precision has left. */
async function removeOthers(folder: string, files: readonly { path: string }[]): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const known = files.some((file) => file.path === relative(folder, path).replaceAll(sep, '/'));
    if (entry.isFile() && !known) await rm(path);
  }
}

/** The refusal of a model that is not installed and must not be pulled without being asked. */
export function notInstalled(model: string, { pull }: Pick<Config, 'pull'>): HubError {
  const rule = pull === 'never' ? ' (EMBEDMILL_PULL=never)' : '';
  return new HubError(
    'model-not-installed',
    `the model ${quote(model, 200)} is not installed${rule}, and no folder has this path; pull it with "embedmill model pull ${model}", or allow ` +
      'it with --pull or EMBEDMILL_PULL=always',
  );
}
