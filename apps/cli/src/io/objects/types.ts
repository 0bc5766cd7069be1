/** Object storage as the command uses it: one bucket, objects that appear whole or not at all. */

/** A file on this machine that is to become an object. */
export interface ObjectFile {
  path: string;
  bytes: number;
  /** Of its contents, in hexadecimal; kept with the object, so that the same contents are not sent again. */
  sha256: string;
  contentType: string;
}

/** What is known of an object without reading it. */
export interface ObjectFacts {
  bytes: number;
  /** As {@link ObjectFile} has it; `null` for an object that somebody else put there. */
  sha256: string | null;
}

/**
 * A bucket. Keys are complete, without the name of the bucket. All calls repeat what may pass by itself and then throw
 * `store-unavailable`, retryable; what a repetition does not cure is `store-refused`.
 */
export interface Bucket {
  readonly name: string;
  /** Replaces the object; when it resolves the store holds it. */
  put(key: string, file: ObjectFile): Promise<void>;
  putText(key: string, text: string): Promise<void>;
  /** `null` when there is none. */
  getText(key: string): Promise<string | null>;
  /** `null` when there is none. */
  look(key: string): Promise<ObjectFacts | null>;
  /** Keys that begin so, in their order. */
  list(prefix: string): AsyncIterable<string>;
  /** Also when there is none. */
  delete(key: string): Promise<void>;
  close(): void;
}
