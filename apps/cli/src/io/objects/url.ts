/** Parses `s3://bucket/key`. */

import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';

/** A key or prefix in a bucket. */
export interface ObjectUrl {
  bucket: string;
  /** Without a leading slash; '' is the whole bucket. */
  key: string;
}

/** Whether a path is meant as the URL of an object. */
export function isObjectUrl(given: string): boolean {
  return given.startsWith('s3://');
}

/**
 * Parses the URL. The key is taken literally, without decoding `%20`.
 * @throws {UsageError} for an invalid bucket name
 */
export function readObjectUrl(given: string): ObjectUrl {
  const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(given);
  if (found === null) {
    throw new UsageError(
      `${quote(given, 200)} is not the URL of an object; expected s3://bucket/folder/name`,
    );
  }
  return { bucket: found[1]!, key: found[2] ?? '' };
}
