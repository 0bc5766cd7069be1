/** The output of an embedding: where it goes, its drafts, and the port that publishes them. */

import type { Dtype, FormatName, VectorEncoding } from '@embedmill/contract';
import type { ObjectUrl } from '../objects/url.ts';

/** What to write, and where. */
export interface OutputTarget {
  /** Absolute path. For an object in a bucket, the path of its local draft. */
  path: string;
  /** The object to publish; `null` for an output on this machine. */
  object: ObjectUrl | null;
  /** True for a LanceDB table, which is built from an Arrow file. */
  isLance: boolean;
  format: FormatName;
  encoding: VectorEncoding;
  dtype: Dtype;
  /** Leading numbers of each vector to keep; `null` for all. */
  dimensions: number | null;
  /** Rows per shard; `null` for one file. */
  shardRows: number | null;
}

/** Whether an output gets a row index, so that rows can be appended to it. */
export function isAppendable({ object, isLance, dtype, shardRows }: OutputTarget): boolean {
  // int8 stores rounded numbers and their scale, which do not give the same bytes again.
  return object === null && !isLance && dtype !== 'int8' && shardRows === null;
}

/** A complete file under a temporary name. */
export interface OutputDraft {
  /** Final path. */
  path: string;
  /** Temporary path, in the same folder. */
  draftPath: string;
  bytes: number;
}

/** Publishes complete drafts: files, objects in a bucket or LanceDB tables. */
export interface Destination {
  /** Whether the output exists. */
  exists(): Promise<boolean>;
  /**
   * Publishes the drafts in this order, each atomically, and removes stale files of an earlier output. When
   * the promise resolves, the result survives a power failure and the drafts are gone.
   * @param stale paths of companion files that this output does not have
   */
  publish(drafts: readonly OutputDraft[], stale: readonly string[]): Promise<void>;
  /** The name of a published file in messages. @param path final path of its draft */
  nameOf(path: string): string;
}
