/** Outputs in a bucket; their drafts are in the cache folder of this machine. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { FORMATS } from '@embedmill/core/formats';
import type { Environment } from '@embedmill/core/process';
import { openBucket } from '../objects/s3.ts';
import type { Bucket, ObjectFile } from '../objects/types.ts';
import type { ObjectUrl } from '../objects/url.ts';
import type { Destination, OutputDraft } from './types.ts';

/** Length of the hash in front of a draft's name, which keeps outputs of equal names apart. */
const HASH_CHARS = 16;

/** The local path of an object's draft. It depends on the URL alone, so that the same command resumes. */
export function draftPathOf({ bucket, key }: ObjectUrl, cacheDir: string): string {
  const hash = createHash('sha256').update(`${bucket}/${key}`).digest('hex').slice(0, HASH_CHARS);
  return join(cacheDir, 'outputs', `${hash}-${basename(key)}`);
}

/** A destination that uploads drafts; companion files get keys beside `key`. */
export function toBucket(
  { bucket: name, key }: ObjectUrl,
  deps: { environment: Environment; signal: AbortSignal },
): Destination {
  const keyOf = (path: string) =>
    `${key.slice(0, key.length - basename(key).length)}${basename(path).slice(HASH_CHARS + 1)}`;
  const within = async <T>(work: (bucket: Bucket) => Promise<T>): Promise<T> => {
    const bucket = await openBucket(name, deps);
    return work(bucket).finally(() => bucket.close());
  };
  return {
    // A listing distinguishes a missing bucket from a missing object.
    exists: () =>
      within(async (bucket) => {
        for await (const found of bucket.list(key)) return found === key;
        return false;
      }),
    publish: (drafts, stale) =>
      within(async (bucket) => {
        // During the upload, old vectors must not be paired with new ids.
        const oldVectors = drafts.length > 1 ? [key] : [];
        for (const old of [...oldVectors, ...stale.map(keyOf)]) await bucket.delete(old);
        for (const draft of drafts) {
          await bucket.put(keyOf(draft.path), await describe(draft));
          await rm(draft.draftPath);
        }
      }),
    nameOf: (path) => `s3://${name}/${keyOf(path)}`,
  };
}

async function describe({ path, draftPath, bytes }: OutputDraft): Promise<ObjectFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(draftPath)) hash.update(chunk);
  const format = Object.values(FORMATS).find(({ extension }) => extension === extname(path));
  const contentType = format?.contentType ?? 'application/octet-stream';
  return { path: draftPath, bytes, sha256: hash.digest('hex'), contentType };
}
