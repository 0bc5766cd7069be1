/**
 * Pulls the files of a model into a folder: from the cache of other tools where it has them, else from the hub.
 *
 * An interrupted pull leaves the folder as it is; the next one continues there. Each file appears under its name
 * only when its digest is right, so a folder with all files is complete.
 */

import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelName, Precision } from '@embedmill/contract';
import { createExclusive, isRunning, markOf, type ProcessMark } from '../process/index.ts';
import { chooseFiles, settingsOf, type WantedFile } from './choose-files.ts';
import { hasDigest } from './digest.ts';
import { downloadFile, stored } from './download.ts';
import { HubError } from './hub-error.ts';
import { cachedBlob, cachedRepository } from './local-cache.ts';
import type { HubOptions } from './options.ts';
import { listFiles, type Repository } from './repository.ts';

/** How far a pull is. */
export interface PullProgress {
  /** The file that is fetched. */
  path: string;
  bytesDone: number;
  bytesTotal: number;
}

/** What to pull. */
export interface PullOptions {
  name: ModelName;
  precision: Precision;
  hub: HubOptions;
  /** Folder for the files; created if missing. One process at a time. */
  folder: string;
  onProgress: (progress: PullProgress) => void;
  signal: AbortSignal;
}

/** The result: every file is in the folder and has the listed digest. */
export interface PulledModel {
  commit: string;
  /** By path in the folder. */
  files: { path: string; bytes: number; digest: string }[];
  /** Sum over the files. */
  bytes: number;
  /** Bytes that came from the cache of other tools. */
  reusedBytes: number;
}

/** Room that is left on the disk beside the files. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** Pulls a model. @throws {HubError} */
export async function pullFiles(options: PullOptions): Promise<PulledModel> {
  await stored(mkdir(dirname(options.folder), { recursive: true }));
  const lock = `${options.folder}.lock`;
  await take(lock, options.name.repository);
  try {
    return await pullAlone(options);
  } finally {
    await rm(lock, { force: true });
  }
}

/** Creates the lock file, in place of that of a process that no longer runs. @throws {HubError} `pull-busy` */
async function take(lock: string, repository: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await createExclusive(lock, JSON.stringify(markOf(process.pid)))) return;
    const owner: ProcessMark | null = await readFile(lock, 'utf8')
      .then((text) => JSON.parse(text))
      .catch(() => null);
    if (owner !== null && isRunning(owner)) {
      throw new HubError(
        'pull-busy',
        `the process ${owner.pid} is pulling ${repository}; wait until it has ended`,
      );
    }
    await rm(lock, { force: true });
  }
  throw new HubError('pull-busy', `another process is pulling ${repository}; wait until it has ended`);
}

async function pullAlone(options: PullOptions): Promise<PulledModel> {
  const { name, precision, hub, folder, onProgress, signal } = options;
  const { repository, revision } = name;
  const model = revision === null ? repository : `${repository}@${revision}`;
  const { commit, files } = await list(options, model);
  let reusedBytes = 0;
  const fetched = new Map<string, number>();
  const fetch = async (file: WantedFile, total: number) => {
    const target = join(folder, ...file.target.split('/'));
    const report = (bytes: number) => {
      fetched.set(file.target, bytes);
      const bytesDone = [...fetched.values()].reduce((sum, each) => sum + each, 0);
      onProgress({ path: file.path, bytesDone, bytesTotal: Math.max(total, bytesDone) });
    };
    if (await takeFromCache(hub, repository, file, target)) {
      reusedBytes += file.bytes;
      report(file.bytes);
      return;
    }
    if (hub.isOffline) throw offline(model, `its file ${file.path} is not in ${hub.cacheFolder}`);
    await downloadFile(hub, { ...file, repository, commit, target, onBytes: report, signal });
  };
  // The settings first: which weights are worth fetching depends on the type of the model.
  const settings = settingsOf(files, model);
  for (const file of settings) await fetch(file, sizeOf(settings));
  const modelType = await readModelType(join(folder, 'config.json'));
  const wanted = chooseFiles(files, { model, precision, modelType });
  await assertRoom(folder, wanted);
  for (const file of wanted)
    if (!settings.some(({ path }) => path === file.path)) await fetch(file, sizeOf(wanted));
  return {
    commit,
    files: wanted.map(({ target, bytes, digest }) => ({ path: target, bytes, digest })),
    bytes: sizeOf(wanted),
    reusedBytes,
  };
}

async function list({ name, hub, signal }: PullOptions, model: string): Promise<Repository> {
  if (!hub.isOffline) return await listFiles(hub, name, signal);
  const cached = await cachedRepository(hub.cacheFolder, name);
  if (cached !== null) return cached;
  throw offline(model, `${hub.cacheFolder} does not have it`);
}

function offline(model: string, reason: string): HubError {
  return new HubError(
    'hub-offline',
    `${model} cannot be pulled offline: ${reason}; leave out --offline and HF_HUB_OFFLINE, or copy the model folder ` +
      'from another machine and use "embedmill model add FOLDER"',
  );
}

/** Copies a file from the cache of other tools; false if it is not there, or has other bytes. */
async function takeFromCache(
  { cacheFolder }: HubOptions,
  repository: string,
  { digest }: WantedFile,
  target: string,
): Promise<boolean> {
  const blob = cachedBlob(cacheFolder, repository, digest);
  if (!(await hasDigest(blob, digest))) return false;
  await mkdir(dirname(target), { recursive: true });
  const copy = `${target}.copy`;
  await stored(copyFile(blob, copy, constants.COPYFILE_FICLONE));
  await rename(copy, target);
  return true;
}

async function readModelType(path: string): Promise<string | null> {
  try {
    const { model_type: type } = JSON.parse(await readFile(path, 'utf8'));
    return typeof type === 'string' ? type.slice(0, 100) : null;
  } catch {
    // `model add` reports a config.json that cannot be read.
    return null;
  }
}

/** @throws {HubError} `disk-full` before anything large is fetched */
async function assertRoom(folder: string, wanted: readonly WantedFile[]): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  let missing = sizeOf(wanted) + SPARE_BYTES;
  for (const { target } of wanted) {
    for (const path of [join(folder, target), join(folder, `${target}.part`)]) {
      missing -= (await stat(path).catch(() => null))?.size ?? 0;
    }
  }
  const free = bavail * bsize;
  if (free >= missing) return;
  throw new HubError(
    'disk-full',
    `the model needs ${megabytes(missing)} MB and the disk of ${folder} has ${megabytes(free)} MB left; free some ` +
      'space, or set EMBEDMILL_CACHE to a folder on another disk',
  );
}

const sizeOf = (files: readonly WantedFile[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);
const megabytes = (bytes: number) => Math.ceil(bytes / 1_000_000).toLocaleString('en-US');
