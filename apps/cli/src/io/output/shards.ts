/** Outputs that are sets of shards. */

import { rm } from 'node:fs/promises';
import { shardsOf } from '../vectors/shards.ts';
import { toFiles } from './files.ts';
import type { Destination } from './types.ts';

/**
 * A destination that replaces earlier sets of the output. They are removed before the first new shard appears,
 * so that a set is never a mixture: after a crash it is incomplete, which its names show.
 */
export function toShards(outputPath: string): Destination {
  const files = toFiles(outputPath);
  return {
    ...files,
    exists: async () => shardsOf(outputPath).length > 0,
    async publish(drafts, stale) {
      for (const path of shardsOf(outputPath)) await rm(path);
      await files.publish(drafts, stale);
    },
  };
}
