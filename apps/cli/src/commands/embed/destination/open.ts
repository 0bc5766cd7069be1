/** Chooses where an output goes. */

import type { Environment } from '@embedmill/core/process';
import type { EmbedRequest } from '../request.ts';
import { toBucket } from './bucket.ts';
import { toFiles } from './files.ts';
import { toLance } from './lance.ts';
import type { Destination } from './types.ts';

export function destinationOf(
  { path, object, isLance }: EmbedRequest['output'],
  parts: { environment: Environment; signal: AbortSignal },
): Destination {
  if (object !== null) return toBucket(object, parts);
  return isLance ? toLance(path, parts) : toFiles(path);
}
