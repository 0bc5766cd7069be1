/**
 * Writes the output of a run while the run goes on: downloads its vectors, joins them with the columns of the input and
 * encodes both; also writes the companion files of .npy, and the report if rows lack vectors.
 * Decision: docs/decisions/0187-outputs-are-written-while-the-run-goes-on.md.
 */

import { rm } from 'node:fs/promises';
import { CorruptError, type RunInfo } from '@embedmill/contract';
import { removeOldIndexes } from '../../io/append/row-index.ts';
import { ColumnsChanged } from '../../io/columns/spool.ts';
import type { Destination, OutputDraft, OutputTarget } from '../../io/output/types.ts';
import { reportPath, scalesPath } from '../../io/vectors/companions.ts';
import { shardPattern } from '../../io/vectors/shards.ts';
import { type OpenedRows, type OutputRowsDeps, openOutputRows } from './output-rows.ts';
import { ReportDraft } from './report-draft.ts';
import { type WrittenFiles, writeFiles } from './write-files.ts';

/** A published file. */
export interface OutputFile {
  /** Absolute path, or the URL of an object. */
  name: string;
  bytes: number;
}

/** The files of one output; `null` for a file that this output does not have. */
export interface OutputFiles {
  /** Of shards the pattern of their names, and their total size. */
  vectors: OutputFile;
  shards: number | null;
  ids: OutputFile | null;
  scales: OutputFile | null;
  report: OutputFile | null;
}

/** The number of rows without a vector. */
export function rowsWithoutVector({ verdicts }: Pick<RunInfo, 'verdicts'>): number {
  return verdicts.empty + verdicts.failed;
}

/** Complete drafts of an output; `null` for a file that it does not have. */
export interface FetchedOutput extends WrittenFiles {
  report: OutputDraft | null;
  reportRows: number;
  counts: OpenedRows['counts'];
}

/** Changes of the columns after which the output is begun again only when the input has been read. */
const MAX_EARLY_CHANGES = 2;

/**
 * Writes all files of the output as drafts; resolves when every part has been downloaded. If a row changes the columns
 * of the rows before it, the drafts are written again from the first row.
 */
export async function fetchOutput(deps: OutputRowsDeps, signal: AbortSignal): Promise<FetchedOutput> {
  const append = deps.index?.append ?? null;
  if (append !== null) await append.old.copyVectors(append.copyPath);
  for (let changes = 0; ; changes++) {
    if (changes > MAX_EARLY_CHANGES) await deps.parts.whenComplete(signal);
    const report = new ReportDraft(deps.output.path);
    try {
      const opened = await openOutputRows(deps, (rows) => report.record(rows), signal);
      const files = await writeFiles(opened, deps, signal);
      return { ...files, report: await report.finish(), reportRows: report.rows, counts: opened.counts };
    } catch (error) {
      await report.remove();
      if (!(error instanceof ColumnsChanged)) throw error;
    }
  }
}

/** Removes the drafts of an output whose run failed on its other side. */
export async function discardOutput({ vectors, ids, scales, index, report }: FetchedOutput): Promise<void> {
  for (const draft of [...vectors, ids, scales, index, report]) {
    if (draft !== null) await rm(draft.draftPath, { force: true });
  }
}

/** Dependencies of {@link publishOutput}. */
export interface PublishDeps {
  output: OutputTarget;
  destination: Destination;
  /** Called with all drafts, before the first is published. */
  onDrafts: (drafts: readonly OutputDraft[]) => Promise<void>;
}

/**
 * Publishes the output of a completed run. The vectors come last, so that they never exist without the others.
 * @throws {CorruptError} `wrong-output` unless every row of the run was downloaded
 */
export async function publishOutput(
  run: RunInfo,
  { vectors, ids, scales, index, report, reportRows, counts, hash }: FetchedOutput,
  { output, destination, onDrafts }: PublishDeps,
): Promise<OutputFiles> {
  const { path, format, shardRows } = output;
  const missing = rowsWithoutVector(run);
  if (counts.downloadedRows !== run.rows.done || reportRows !== missing) {
    throw new CorruptError(
      'wrong-output',
      `the producer sent ${counts.downloadedRows} rows, ${reportRows} of them without a vector; the run has ` +
        `${run.rows.done}, ${missing} of them without a vector`,
    );
  }
  // Companion files of an earlier output under this name would describe other rows.
  const stale = [
    ...(report === null ? [reportPath(path)] : []),
    ...(format === 'npy' && scales === null ? [scalesPath(path)] : []),
  ];
  const drafts = [index, ids, scales, report, ...vectors].filter((draft) => draft !== null);
  await onDrafts(drafts);
  await destination.publish(drafts, stale);
  // Shards do not replace a single file of this name, which keeps its index.
  if (shardRows === null) await removeOldIndexes(path, hash);
  const published = (draft: OutputDraft): OutputFile => ({
    name: destination.nameOf(draft.path),
    bytes: draft.bytes,
  });
  const name = destination.nameOf(shardRows === null ? path : shardPattern(path, vectors.length));
  return {
    vectors: { name, bytes: vectors.reduce((sum, { bytes }) => sum + bytes, 0) },
    shards: shardRows === null ? null : vectors.length,
    ids: ids && published(ids),
    scales: scales && published(scales),
    report: report && published(report),
  };
}
