/** The models that are installed beside a producer, as a hub lists them, so that workers can pull them. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { MODEL_RECORD_FILE, type ModelRecord } from '@embedmill/contract';
import type { Repository } from './repository.ts';

/** Owner under which every installed model can be pulled by its name on the producer. */
const OWNER = 'models';

/** Files that models consist of; others are not served. */
const SERVED = /\.(json|safetensors|onnx|onnx[._]data|data)$/;

/** An installed model with the folder of its files. */
export interface InstalledRepository extends Repository {
  folder: string;
}

/** Lists installed models; the SHA-256 of a file is computed once. */
export class InstalledModels {
  readonly #root: string;
  readonly #digests = new Map<string, Promise<string>>();

  /** @param cacheDir the cache folder, with the models in `models` */
  constructor(cacheDir: string) {
    this.#root = join(cacheDir, 'models');
  }

  /**
   * The model that was pulled from a repository, or that is called `name` (`models/name`); `null` if there is
   * none. Its commit is derived from its files.
   */
  async find(owner: string, name: string): Promise<InstalledRepository | null> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const folder = join(this.#root, entry.name);
      const isNamed = owner === OWNER && entry.name === name;
      if (isNamed || (await repositoryOf(folder)) === `${owner}/${name}`) return await this.#describe(folder);
    }
    return null;
  }

  async #describe(folder: string): Promise<InstalledRepository> {
    const files: Repository['files'] = [];
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !SERVED.test(entry.name)) continue;
      const { size, mtimeMs } = await stat(path);
      const digest = await this.#digestOf(path, `${path} ${size} ${mtimeMs}`);
      files.push({ path: relative(folder, path).replaceAll(sep, '/'), bytes: size, digest });
    }
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const commit = createHash('sha1').update(JSON.stringify(files)).digest('hex');
    return { folder, commit, files };
  }

  #digestOf(path: string, key: string): Promise<string> {
    const known = this.#digests.get(key);
    if (known !== undefined) return known;
    const digest = sha256(path);
    this.#digests.set(key, digest);
    digest.catch(() => this.#digests.delete(key));
    return digest;
  }
}

async function repositoryOf(folder: string): Promise<string | null> {
  try {
    const record: ModelRecord = JSON.parse(await readFile(join(folder, MODEL_RECORD_FILE), 'utf8'));
    return record.repository;
  } catch {
    return null;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
