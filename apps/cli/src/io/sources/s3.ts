/** Objects in buckets (`s3://bucket/key`, prefixes and globs) as sources. */

import { basename } from 'node:path';
import { asError, EmbedmillError, quote } from '@embedmill/contract';
import { formatOfName } from '@embedmill/core/formats';
import picomatch from 'picomatch';
import { UsageError } from '../../shell/exit-codes.ts';
import { openBucket } from '../objects/s3.ts';
import type { Bucket } from '../objects/types.ts';
import { readObjectUrl } from '../objects/url.ts';
import { byPath, isDataFile } from './names.ts';
import { remoteSource, SourceUnavailable, sourceChanged, sourceRefused } from './remote.ts';
import type { ByteSource, InputSource, SourceDeps, SourceList } from './types.ts';

/** First character of a glob in a key. */
const GLOB = /[*?[{]/;

/**
 * The objects that a URL names, ordered by their key: one, those that match a glob, or those behind a prefix
 * whose names show a format.
 * @throws {UsageError} for an invalid bucket name
 */
export function objectsAt(given: string): SourceList {
  const { bucket: name, key } = readObjectUrl(given);
  return {
    kind: 'list',
    name: given,
    async expand(deps): Promise<InputSource[]> {
      const bucket = await openBucket(name, deps);
      const keys = await keysOf(bucket, key);
      if (keys.length === 0) {
        throw new UsageError(
          `${quote(given, 200)} has no input files; expected names that end in .parquet, .arrow, .jsonl, .json, .csv, .tsv or .txt`,
        );
      }
      return keys.map((found) => objectSource(bucket, found));
    },
  };
}

async function keysOf(bucket: Bucket, key: string): Promise<string[]> {
  const glob = GLOB.exec(key);
  if (glob !== null) {
    const matches = picomatch(key, { dot: false });
    const found: string[] = [];
    for await (const candidate of bucket.list(key.slice(0, glob.index))) {
      if (candidate === key) return [key];
      if (matches(candidate) && !candidate.endsWith('/')) found.push(candidate);
    }
    return found.toSorted(byPath);
  }
  const isFolder = key === '' || key.endsWith('/');
  if (!isFolder && (await bucket.stat(key)) !== null) return [key];
  const prefix = isFolder ? key : `${key}/`;
  const found: string[] = [];
  for await (const candidate of bucket.list(prefix)) {
    if (isDataFile(candidate.slice(prefix.length)) && formatOfName(candidate) !== null) found.push(candidate);
  }
  return found.toSorted(byPath);
}

function objectSource(bucket: Bucket, key: string): ByteSource {
  const name = `s3://${bucket.name}/${key}`;
  return remoteSource({
    name,
    fileName: basename(key),
    async get({ start, end }, version, { signal }: SourceDeps) {
      const found = await bucket
        .read(key, { start, end, etag: version?.tag ?? null })
        .catch((error: unknown) => {
          signal.throwIfAborted();
          const isTemporary = error instanceof EmbedmillError && error.retryable;
          throw isTemporary ? new SourceUnavailable(name, asError(error).message, { cause: error }) : error;
        });
      if (found === 'changed' || (found === null && version !== null)) throw sourceChanged(name);
      if (found === null) throw sourceRefused(name, 'it does not exist');
      const { bytes, etag, body } = found;
      body.on('error', () => {});
      return {
        version: { bytes, tag: etag },
        start,
        hasRanges: true,
        body,
        close: () => void body.destroy(),
      };
    },
  });
}
