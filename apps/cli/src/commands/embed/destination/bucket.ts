/** Outputs that are objects of a bucket; their drafts lie in the cache folder of this machine. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { FORMATS } from '@embedmill/core/formats';
import type { Environment } from '@embedmill/core/process';
import { openBucket } from '../../../io/objects/s3.ts';
import type { Bucket, ObjectFile } from '../../../io/objects/types.ts';
import type { ObjectUrl } from '../../../io/objects/url.ts';
import type { Draft } from '../save.ts';
import type { Destination } from './types.ts';

/** Letters in front of the name of a draft, so that two outputs of one name do not meet; and the dash behind them. */
const MARK_CHARS = 16;

/** Where the drafts of an output lie: the same place for the same output, so that the same command again continues. */
export function draftPathOf({ bucket, key }: ObjectUrl, cacheDir: string): string {
  const mark = createHash('sha256').update(`${bucket}/${key}`).digest('hex').slice(0, MARK_CHARS);
  return join(cacheDir, 'outputs', `${mark}-${basename(key)}`);
}

export function toBucket(
  { bucket: name, key }: ObjectUrl,
  parts: { environment: Environment; signal: AbortSignal },
): Destination {
  const keyOf = (path: string) =>
    `${key.slice(0, key.length - basename(key).length)}${basename(path).slice(MARK_CHARS + 1)}`;
  const within = async <T>(work: (bucket: Bucket) => Promise<T>): Promise<T> => {
    const bucket = await openBucket(name, parts);
    return work(bucket).finally(() => bucket.close());
  };
  return {
    // A listing, because it tells a bucket that is not there from an object that is not.
    exists: () =>
      within(async (bucket) => {
        for await (const found of bucket.list(key)) return found === key;
        return false;
      }),
    publish: (drafts, stale) =>
      within(async (bucket) => {
        // Vectors of before must not stand beside other ids while an upload takes its time.
        const beside = drafts.length > 1 ? [key] : [];
        for (const old of [...beside, ...stale.map(keyOf)]) await bucket.delete(old);
        for (const draft of drafts) {
          await bucket.put(keyOf(draft.path), await describe(draft));
          await rm(draft.draftPath);
        }
      }),
    nameOf: (path) => `s3://${name}/${keyOf(path)}`,
  };
}

async function describe({ path, draftPath, bytes }: Draft): Promise<ObjectFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(draftPath)) hash.update(chunk);
  const kind = Object.values(FORMATS).find(({ extension }) => extension === extname(path));
  const contentType = kind?.contentType ?? 'application/octet-stream';
  return { path: draftPath, bytes, sha256: hash.digest('hex'), contentType };
}
