/** Outputs that are LanceDB tables, built from an Arrow file in a temporary folder. */

import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '@embedmill/core/process';
import type { FixedSizeList, RecordBatch, Schema } from 'apache-arrow';
import { requireArrow } from '../lance-folder.ts';
import { LanceWriter, maxRowsPerWrite } from '../stores/lance.ts';
import { toFiles } from './files.ts';
import type { Destination, OutputDraft } from './types.ts';

/** Record batches that are held: one has at most 8 MiB of vectors and about 32 MiB of columns. */
const MAX_BATCHES = 8;

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
  await copyRows(draftPath, fresh, signal);
  // A folder cannot replace another atomically: for a moment none has this name.
  if (existsSync(path)) await rename(path, join(buildFolder, 'replaced'));
  await rename(fresh, path);
  await syncFolder(dirname(path));
  await rm(buildFolder, { recursive: true });
  await rm(draftPath);
}

/** Writes the rows with a vector; of rows with one id, the last. */
async function copyRows(arrowPath: string, tablePath: string, signal: AbortSignal): Promise<void> {
  const { RecordBatchReader, Table } = requireArrow();
  const file = await open(arrowPath, 'r');
  try {
    const reader = await (await RecordBatchReader.from(file)).open();
    const dim = listSizeOf(reader.schema);
    const writer = await LanceWriter.open(tablePath, dim);
    try {
      let batches: RecordBatch[] = [];
      let rows = 0;
      const write = async () => {
        const kept = runsToKeep(batches);
        if (kept.length > 0) await writer.write(new Table(reader.schema, kept));
        [batches, rows] = [[], 0];
      };
      for await (const batch of reader) {
        signal.throwIfAborted();
        batches.push(batch);
        rows += batch.numRows;
        if (rows >= maxRowsPerWrite(dim) || batches.length >= MAX_BATCHES) await write();
      }
      await write();
      await writer.finish(new Table(reader.schema));
    } finally {
      writer.close();
    }
  } finally {
    await file.close();
  }
}

function listSizeOf({ fields }: Schema): number {
  const type = fields.find(({ name }) => name === 'vector')?.type;
  return (type as FixedSizeList | undefined)?.listSize ?? 0;
}

/** The rows with a vector whose id does not occur again later, as views of the batches. */
function runsToKeep(batches: readonly RecordBatch[]): RecordBatch[] {
  const lastOfId = new Map<string, string>();
  for (const [n, batch] of batches.entries()) {
    const [ids, vectors] = [batch.getChild('id'), batch.getChild('vector')];
    for (let row = 0; row < batch.numRows; row++) {
      if (vectors?.isValid(row)) lastOfId.set(ids?.get(row), `${n}:${row}`);
    }
  }
  return batches.flatMap((batch, n) => {
    const [ids, vectors] = [batch.getChild('id'), batch.getChild('vector')];
    const runs: RecordBatch[] = [];
    for (let from = 0, row = 0; row <= batch.numRows; row++) {
      const isKept =
        row < batch.numRows && vectors?.isValid(row) && lastOfId.get(ids?.get(row)) === `${n}:${row}`;
      if (isKept) continue;
      if (row > from) runs.push(batch.slice(from, row));
      from = row + 1;
    }
    return runs;
  });
}
