/**
 * Writes the output of a completed run: downloads its vectors, joins them with the columns of the input and
 * encodes both; also writes the companion files of .npy, and the report if rows lack vectors.
 */

import { type EmbedmillClient, type RetryOptions, withRetry } from '@embedmill/client';
import { BUILT_IN_DIM, type RunInfo, type VectorRows } from '@embedmill/contract';
import {
  encodeIds,
  encodeScales,
  FORMATS,
  type OutputRows,
  type OutputShape,
  vectorMetadata,
} from '@embedmill/core/formats';
import { joinColumns, outputColumns, shortenRows } from '../../io/columns/join.ts';
import { readResultLines } from '../../io/columns/results.ts';
import type { ColumnSpool } from '../../io/columns/spool.ts';
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
  /** The columns of the input that go to the output; `null` for none. */
  columns: InputColumns | null;
}

/** The columns of an input. */
export interface InputColumns {
  spool: ColumnSpool;
  /** The column of the ids; `null` if they are row numbers. */
  idField: string | null;
}

/**
 * Downloads all files, then publishes them. The vectors come last, so that they never exist without the
 * others.
 */
export async function fetchOutput(
  run: RunInfo,
  { client, output, destination, retry, columns: input }: FetchDeps,
): Promise<OutputFiles> {
  const rows = run.rows.done;
  const missing = rowsWithoutVector(run);
  const download = (path: string, open: () => Promise<AsyncIterable<Uint8Array>>, expected: ExpectedFile) =>
    withRetry(async () => writeDraft(path, await open(), expected), retry);

  const { path, format, dtype, encoding, dimensions } = output;
  const runDim = run.dim ?? BUILT_IN_DIM;
  const shape: OutputShape = { rows, dim: Math.min(dimensions ?? runDim, runDim) };
  const columns =
    input === null
      ? []
      : outputColumns(input.spool.columns, { idField: input.idField, taken: takenNames(output) });
  const joined = (slices: AsyncIterable<VectorRows>): AsyncIterable<OutputRows> =>
    input === null ? slices : joinColumns(slices, input.spool.read(), columns);
  const open = async (): Promise<AsyncIterable<VectorRows>> => {
    const lines = await client.openResults(run.id, 'jsonl', { encoding: 'base64', dtype: 'float32' });
    const slices = readResultLines(lines, runDim);
    return shape.dim === runDim ? slices : shortenRows(slices, shape.dim);
  };
  const { model, precision } = run.options;
  const metadata = vectorMetadata({ model, precision, fingerprint: run.fingerprint, dim: shape.dim });
  const vectors = await download(
    path,
    async () => FORMATS[format].encode(joined(await open()), shape, { encoding, dtype, columns, metadata }),
    { format, rows, dtype },
  );
  const ids =
    format === 'npy'
      ? await download(idsPath(path), async () => encodeIds(joined(await open()), columns), {
          format: 'jsonl',
          rows,
        })
      : null;
  const scales =
    format === 'npy' && dtype === 'int8'
      ? await download(scalesPath(path), async () => encodeScales(await open(), shape), {
          format: 'scales',
          rows,
        })
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

/** Names of the columns that an output has anyway. */
function takenNames({ format, dtype, encoding }: OutputTarget): string[] {
  const isText = format === 'jsonl' && encoding === 'base64';
  return ['id', 'vector', ...(dtype === 'int8' ? ['scale'] : []), ...(isText ? ['dtype'] : [])];
}
