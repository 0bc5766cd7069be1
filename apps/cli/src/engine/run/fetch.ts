/**
 * Downloads the output of a completed run: vectors, companion files of .npy, and the report if rows lack
 * vectors.
 */

import { type EmbedmillClient, type RetryOptions, withRetry } from '@embedmill/client';
import type { RunInfo } from '@embedmill/contract';
import type { ExpectedFile } from '../../io/output/check-file.ts';
import type { Destination, OutputDraft, OutputTarget } from '../../io/output/types.ts';
import { writeDraft } from '../../io/output/write-draft.ts';
import { idsPath, reportPath, scalesPath } from '../../io/vectors/companions.ts';

/** A published file. */
export interface OutputFile {
  /** Absolute path, or the URL of an object. */
  name: string;
  bytes: number;
}

/** The files of one output; `null` for a file that this output does not have. */
export interface OutputFiles {
  vectors: OutputFile;
  ids: OutputFile | null;
  scales: OutputFile | null;
  report: OutputFile | null;
}

/** The number of rows without a vector. */
export function rowsWithoutVector({ verdicts }: Pick<RunInfo, 'verdicts'>): number {
  return verdicts.empty + verdicts.failed;
}

/** Dependencies of {@link fetchOutput}. */
export interface FetchDeps {
  client: EmbedmillClient;
  output: OutputTarget;
  destination: Destination;
  retry: RetryOptions;
}

/**
 * Downloads all files, then publishes them. The vectors come last, so that they never exist without the
 * others.
 */
export async function fetchOutput(
  run: RunInfo,
  { client, output, destination, retry }: FetchDeps,
): Promise<OutputFiles> {
  const rows = run.rows.done;
  const missing = rowsWithoutVector(run);
  const download = (path: string, open: () => Promise<AsyncIterable<Uint8Array>>, expected: ExpectedFile) =>
    withRetry(async () => writeDraft(path, await open(), expected), retry);

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
  // Companion files of an earlier output under this name would describe other rows.
  const stale = [
    ...(report === null ? [reportPath(path)] : []),
    ...(format === 'npy' && scales === null ? [scalesPath(path)] : []),
  ];
  await destination.publish(
    [ids, scales, report, vectors].filter((draft) => draft !== null),
    stale,
  );
  const published = (draft: OutputDraft): OutputFile => ({
    name: destination.nameOf(draft.path),
    bytes: draft.bytes,
  });
  return {
    vectors: published(vectors),
    ids: ids && published(ids),
    scales: scales && published(scales),
    report: report && published(report),
  };
}
