/** Outputs that are tables of LanceDB: a folder that is built beside its place, from an Arrow file. */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { syncFolder } from '@embedmill/core/process';
import { openLance } from '../../../io/lance/load.ts';
import { openArrow } from '../../../io/vectors/arrow.ts';
import { load } from '../../load/load.ts';
import type { Draft } from '../save.ts';
import { toFiles } from './files.ts';
import type { Destination } from './types.ts';

/** Rows that the store is handed at a time. */
const BATCH_ROWS = 1_000;

export function toLance(outputPath: string, { signal }: { signal: AbortSignal }): Destination {
  const files = toFiles(outputPath);
  return {
    ...files,
    async publish(drafts, stale) {
      await files.publish(
        drafts.filter(({ path }) => path !== outputPath),
        stale,
      );
      for (const draft of drafts) if (draft.path === outputPath) await buildTable(draft, signal);
    },
  };
}

async function buildTable({ path, draftPath }: Draft, signal: AbortSignal): Promise<void> {
  // In a folder of its own, where nobody who opens the database of the output sees it.
  const workshop = join(dirname(path), `.${basename(path)}.building`);
  await rm(workshop, { recursive: true, force: true });
  await mkdir(workshop);
  const fresh = join(workshop, basename(path));
  await load({
    file: await openArrow(draftPath, path),
    open: (dim) => openLance({ url: pathToFileURL(fresh), dim }),
    batchRows: BATCH_ROWS,
    onRows: () => {},
    onRetry: () => {},
    signal,
  });
  // A folder cannot take the place of another in one step: for a moment there is none under this name.
  if (existsSync(path)) await rename(path, join(workshop, 'replaced'));
  await rename(fresh, path);
  await syncFolder(dirname(path));
  await rm(workshop, { recursive: true });
  await rm(draftPath);
}
