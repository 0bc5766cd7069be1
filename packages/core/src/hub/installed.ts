/** The models that are installed beside a producer, as a hub lists them, so that workers can pull them. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { MODEL_RECORD_FILE, type ModelRecord } from '@embedmill/contract';
import type { Repository } from './repository.ts';

/** Owner under which every installed model can be pulled by its name on the producer. */
const OWNER = 'models';

/** Files that models consist of; others are not served. */
const SERVED = /\.(json|safetensors|onnx|onnx[._]data|data)$/;

/** An installed model with the folder of its files. */
export interface InstalledRepository extends Repository {
  folder: string;
  /** Commit at which it was pulled; `null` for a folder that was added. */
  pulledCommit: string | null;
}

/** Lists installed models; the SHA-256 of a file is computed once. */
export class InstalledModels {
  readonly #root: string;
  readonly #digests = new Map<string, Promise<string>>();

  /** @param cacheDir the cache folder, with the models in `models` */
  constructor(cacheDir: string) {
    this.#root = join(cacheDir, 'models');
  }

  /** Names of the installed models. */
  async names(): Promise<string[]> {
    return (await this.#folders()).map((folder) => basename(folder));
  }

  /**
   * Name under which a worker pulls an installed model, from this producer or from a mirror: its repository at the commit
   * that was pulled, or `models/name` for a folder that was added; `null` if it is not installed.
   */
  async sourceOf(name: string): Promise<string | null> {
    const folder = (await this.#folders()).find((each) => basename(each) === name);
    if (folder === undefined) return null;
    const record = await recordOf(folder);
    if (record === null) return `${OWNER}/${name}`;
    return record.commit === null ? record.repository : `${record.repository}@${record.commit}`;
  }

  async #folders(): Promise<string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(this.#root, name));
  }

  /**
   * The model that was pulled from a repository, or that is called `name` (`models/name`); `null` if there is
   * none. Its commit is derived from its files.
   */
  async find(owner: string, name: string): Promise<InstalledRepository | null> {
    for (const folder of await this.#folders()) {
      const isNamed = owner === OWNER && basename(folder) === name;
      const record = await recordOf(folder);
      if (isNamed || record?.repository === `${owner}/${name}`)
        return { ...(await this.#describe(folder)), pulledCommit: record?.commit ?? null };
    }
    return null;
  }

  async #describe(folder: string): Promise<Omit<InstalledRepository, 'pulledCommit'>> {
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

async function recordOf(folder: string): Promise<ModelRecord | null> {
  try {
    return JSON.parse(await readFile(join(folder, MODEL_RECORD_FILE), 'utf8'));
  } catch {
    return null;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
