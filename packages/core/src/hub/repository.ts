/** Reads the list of files of a model on a hub. */

import { type ModelName, quote } from '@embedmill/contract';
import { HubError } from './hub-error.ts';
import type { HubOptions } from './options.ts';
import { requestHub } from './request.ts';
import { withRetries } from './retry.ts';

/** A file as the hub lists it. */
export interface RepositoryFile {
  /** Path in the repository. Not checked: it may be any string. */
  path: string;
  bytes: number;
  /** SHA-256 for files in LFS, else the SHA-1 that git gives the file; hexadecimal. */
  digest: string;
}

/** A model at one commit. */
export interface Repository {
  /** 40 hexadecimal characters. */
  commit: string;
  files: RepositoryFile[];
}

/** Maximum size of the list: a repository with tens of thousands of files is not a sentence model. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

/** Lists the files of a model at its revision. @throws {HubError} */
export async function listFiles(
  hub: HubOptions,
  { repository, revision }: ModelName,
  signal: AbortSignal,
): Promise<Repository> {
  const at = revision ?? 'main';
  const model = revision === null ? repository : `${repository}@${revision}`;
  const body = await withRetries(hub, signal, async () => {
    const path = `/api/models/${repository}/revision/${encodeURIComponent(at)}?blobs=true`;
    return await readText(await requestHub(hub, { path, model, signal }));
  });
  const broken = (problem: string) =>
    new HubError('hub-broken', `${hub.endpoint} is not a model hub: ${problem} (HF_ENDPOINT)`);
  let list: { sha?: unknown; siblings?: unknown };
  try {
    list = JSON.parse(body);
  } catch (cause) {
    throw new HubError('hub-broken', broken(`the list of files is not JSON: ${quote(body)}`).message, {
      cause,
    });
  }
  const { sha, siblings } = Object(list);
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha)) {
    throw broken(
      `it states ${quote(sha)} as the commit of ${quote(model)}, expected 40 hexadecimal characters`,
    );
  }
  if (!Array.isArray(siblings)) throw broken(`it lists no files of ${quote(model)}`);
  return { commit: sha, files: siblings.map(readFile).filter((file) => file !== null) };
}

/** A file of the list; `null` if it has no path, size or digest, so that it cannot be checked. */
function readFile(sibling: unknown): RepositoryFile | null {
  const { rfilename, size, blobId, lfs } = Object(sibling);
  const digest = Object(lfs).sha256 ?? blobId;
  const isKnown =
    typeof rfilename === 'string' &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(digest);
  return isKnown ? { path: rfilename, bytes: size, digest } : null;
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MAX_LIST_BYTES) throw new HubError('hub-broken', 'the list of files is larger than 16 MB');
  }
  return Buffer.concat(chunks).toString('utf8');
}
