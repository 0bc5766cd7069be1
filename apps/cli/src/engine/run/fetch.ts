/** Fetches the files of a completed run: vectors, what an .npy has no room for, the report when there is something to report. */

import { basename, dirname, join } from 'node:path';
import { type EmbedmillClient, type RetryOptions, withRetry } from '@embedmill/client';
import type { RunInfo } from '@embedmill/contract';
import type { ExpectedFile } from '../../commands/embed/check-file.ts';
import type { Destination } from '../../commands/embed/destination/types.ts';
import type { EmbedRequest } from '../../commands/embed/request.ts';
import { type Draft, writeDraft } from '../../commands/embed/save.ts';

/** A file that is complete and has its name. */
export interface OutputFile {
  /** Absolute path, or the URL of an object. */
  name: string;
  bytes: number;
}

/** The files of one output; those that it does not have are `null`. */
export interface OutputFiles {
  vectors: OutputFile;
  ids: OutputFile | null;
  scales: OutputFile | null;
  report: OutputFile | null;
}

/** `out.npy` → `out.ids.jsonl`: an .npy has no room for ids. */
export function idsPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath).replace(/\.npy$/i, '')}.ids.jsonl`);
}

/** `out.npy` → `out.scales.npy`: nor for the scales of int8. */
export function scalesPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath).replace(/\.npy$/i, '')}.scales.npy`);
}

/** `out.npy` → `out.npy.report.jsonl`. */
export function reportPath(outputPath: string): string {
  return `${outputPath}.report.jsonl`;
}

/** Rows of a run that have no vector. */
export function rowsWithoutVector({ verdicts }: Pick<RunInfo, 'verdicts'>): number {
  return verdicts.empty + verdicts.failed;
}

/** What an output is fetched with. */
export interface FetchDeps {
  client: EmbedmillClient;
  output: EmbedRequest['output'];
  destination: Destination;
  patience: RetryOptions;
}

/** Downloads everything, then publishes it: the output itself last, so that it is there only with the others. */
export async function fetchOutput(
  run: RunInfo,
  { client, output, destination, patience }: FetchDeps,
): Promise<OutputFiles> {
  const rows = run.rows.done;
  const missing = rowsWithoutVector(run);
  const download = (path: string, open: () => Promise<AsyncIterable<Uint8Array>>, expected: ExpectedFile) =>
    withRetry(async () => writeDraft(path, await open(), expected), patience);

  const { path, format, dtype } = output;
  const vectors = await download(path, () => client.openResults(run.id, format, output), {
    format,
    rows,
    dtype,
  });
  const ids =
    format === 'npy'
      ? await download(idsPath(path), () => client.openIds(run.id), { format: 'jsonl', rows })
      : null;
  const scales =
    format === 'npy' && dtype === 'int8'
      ? await download(scalesPath(path), () => client.openScales(run.id), { format: 'scales', rows })
      : null;
  const report =
    missing > 0
      ? await download(reportPath(path), () => client.openReport(run.id), { format: 'jsonl', rows: missing })
      : null;
  // Those of an earlier output under this name would speak of other rows.
  const stale = [
    ...(report === null ? [reportPath(path)] : []),
    ...(format === 'npy' && scales === null ? [scalesPath(path)] : []),
  ];
  await destination.publish(
    [ids, scales, report, vectors].filter((draft) => draft !== null),
    stale,
  );
  const fileOf = (draft: Draft): OutputFile => ({ name: destination.nameOf(draft.path), bytes: draft.bytes });
  return {
    vectors: fileOf(vectors),
    ids: ids && fileOf(ids),
    scales: scales && fileOf(scales),
    report: report && fileOf(report),
  };
}
