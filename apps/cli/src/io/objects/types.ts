/** The port to object storage: one bucket with atomic writes; see docs/decisions/0104. */

import type { Readable } from 'node:stream';

/** A local file to upload. */
export interface ObjectFile {
  path: string;
  bytes: number;
  /**
   * Hash of the contents in hexadecimal; stored with the object, so that equal contents are not sent again.
   */
  sha256: string;
  contentType: string;
}

/** Metadata of an object. */
export interface ObjectStat {
  bytes: number;
  /** Hash stored by {@link Bucket.put}; `null` for an object from another program. */
  sha256: string | null;
}

/** The bytes of an object from a position on. */
export interface ObjectBytes {
  /** Size of the whole object; `null` if the store does not state it. */
  bytes: number | null;
  /** Entity tag; `null` if the store does not state it. */
  etag: string | null;
  body: Readable;
}

/**
 * A bucket. Keys do not include its name. Calls retry temporary errors, then throw the retryable
 * `store-unavailable`; permanent errors throw `store-refused`.
 */
export interface Bucket {
  readonly name: string;
  /** Creates or replaces an object; resolves when it is stored. */
  put(key: string, file: ObjectFile): Promise<void>;
  /** Creates or replaces a JSON object. */
  putText(key: string, text: string): Promise<void>;
  /** The contents of an object; `null` if it does not exist. */
  getText(key: string): Promise<string | null>;
  /**
   * The bytes of an object from `start` to `end` (exclusive; `null` for its end), in one request; `null` if it
   * does not exist, `changed` if it has another entity tag than the given one.
   */
  read(
    key: string,
    range: { start: number; end: number | null; etag: string | null },
  ): Promise<ObjectBytes | 'changed' | null>;
  /** The metadata of an object; `null` if it does not exist. */
  stat(key: string): Promise<ObjectStat | null>;
  /** Keys with this prefix, sorted. */
  list(prefix: string): AsyncIterable<string>;
  /** Deletes an object. Idempotent. */
  delete(key: string): Promise<void>;
  close(): void;
}
