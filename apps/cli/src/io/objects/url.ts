/** Reads `s3://bucket/key`. */

import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';

/** A place in a bucket. */
export interface ObjectUrl {
  bucket: string;
  /** Without a slash at its start; '' is the whole bucket. */
  key: string;
}

export function isObjectUrl(given: string): boolean {
  return given.startsWith('s3://');
}

/** The key is taken as it stands: `%20` is no blank. @throws {UsageError} unless it names a bucket */
export function readObjectUrl(given: string): ObjectUrl {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(given);
  if (found === null) {
    throw new UsageError(`${quote(given, 200)} is no place in a bucket; expected s3://bucket/folder/name`);
  }
  return { bucket: found[1]!, key: found[2] ?? '' };
}
