/** Opens the destination of an output. */

import type { Environment } from '@embedmill/core/process';
import { toBucket } from './bucket.ts';
import { toFiles } from './files.ts';
import { toLance } from './lance.ts';
import { toShards } from './shards.ts';
import type { Destination, OutputTarget } from './types.ts';

/** The destination of `target`: a bucket, shards, a LanceDB table or files. */
export function openDestination(
  { path, object, isLance, shardRows }: Pick<OutputTarget, 'path' | 'object' | 'isLance' | 'shardRows'>,
  deps: { environment: Environment; signal: AbortSignal },
): Destination {
  if (object !== null) return toBucket(object, deps);
  if (shardRows !== null) return toShards(path);
  return isLance ? toLance(path, deps) : toFiles(path);
}
