/** Outputs that are LanceDB tables, built from an Arrow file in a temporary folder. */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { syncFolder } from '@embedmill/core/process';
import { openLance } from '../stores/lance.ts';
import { loadIntoStore } from '../stores/load.ts';
import { openArrow } from '../vectors/arrow.ts';
import { toFiles } from './files.ts';
import type { Destination, OutputDraft } from './types.ts';

/** Rows per request to the store. */
const BATCH_ROWS = 1_000;

/** A destination that turns the Arrow draft into a table and publishes companion files as they are. */
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

async function buildTable({ path, draftPath }: OutputDraft, signal: AbortSignal): Promise<void> {
  // In a folder of its own, invisible to readers of the output's database.
  const buildFolder = join(dirname(path), `.${basename(path)}.building`);
  await rm(buildFolder, { recursive: true, force: true });
  await mkdir(buildFolder);
  const fresh = join(buildFolder, basename(path));
  await loadIntoStore({
    file: await openArrow(draftPath, path),
    open: (dim) => openLance({ url: pathToFileURL(fresh), dim }),
    batchRows: BATCH_ROWS,
    onRows: () => {},
    onRetry: () => {},
    signal,
  });
  // A folder cannot replace another atomically: for a moment none has this name.
  if (existsSync(path)) await rename(path, join(buildFolder, 'replaced'));
  await rename(fresh, path);
  await syncFolder(dirname(path));
  await rm(buildFolder, { recursive: true });
  await rm(draftPath);
}
