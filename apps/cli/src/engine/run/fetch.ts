/**
 * Writes the output of a completed run: downloads its vectors, joins them with the columns of the input and
 * encodes both; also writes the companion files of .npy, and the report if rows lack vectors.
 */

import { createHash, type Hash } from 'node:crypto';
import { type RetryOptions, withRetry } from '@embedmill/client';
import { BUILT_IN_DIM, type RunInfo, type VectorRows } from '@embedmill/contract';
import {
  encodeIds,
  encodeScales,
  FORMATS,
  type OutputRows,
  type OutputShape,
  vectorMetadata,
} from '@embedmill/core/formats';
import { digestsOfPresent, mergeRows } from '../../io/append/merge.ts';
import type { OldOutput } from '../../io/append/old-output.ts';
import {
  encodeRowIndex,
  removeOldIndexes,
  rowIndexPath,
  type VectorOptions,
} from '../../io/append/row-index.ts';
import type { RowSpool } from '../../io/append/row-spool.ts';
import { joinColumns, outputColumns, shortenRows } from '../../io/columns/join.ts';
import type { ColumnSpool } from '../../io/columns/spool.ts';
import type { ExpectedFile } from '../../io/output/check-file.ts';
import type { Destination, OutputDraft, OutputTarget } from '../../io/output/types.ts';
import { writeDraft } from '../../io/output/write-draft.ts';
import { idsPath, reportPath, scalesPath } from '../../io/vectors/companions.ts';
import { shardPattern } from '../../io/vectors/shards.ts';
import type { RunClient } from './run-client.ts';
import { writeShards } from './write-shards.ts';

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

/** Dependencies of {@link fetchOutput}. */
export interface FetchDeps {
  client: RunClient;
  output: OutputTarget;
  destination: Destination;
  retry: RetryOptions;
  /** The columns of the input that go to the output; `null` for none. */
  columns: InputColumns | null;
  /** What later commands need to append; `null` if the output cannot be appended to. */
  index: IndexedRows | null;
  /** Called with all drafts when they are complete, before the first is published. */
  onDrafts: (drafts: readonly OutputDraft[]) => Promise<void>;
}

/** The rows of an output that gets a row index. */
export interface IndexedRows {
  spool: RowSpool;
  /** Options that determine the vectors. */
  options: VectorOptions;
  /** The old output with the path for a copy of its vectors; `null` if there is none. */
  append: { old: OldOutput; copyPath: string } | null;
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
  { client, output, destination, retry, columns: input, index, onDrafts }: FetchDeps,
): Promise<OutputFiles> {
  const append = index?.append ?? null;
  const rows = append === null ? run.rows.done : (index?.spool.counts.rows ?? 0);
  const missing = rowsWithoutVector(run);
  const download = (path: string, open: () => Promise<AsyncIterable<Uint8Array>>, expected: ExpectedFile) =>
    withRetry(async () => writeDraft(path, await open(), expected), retry);

  const { path, format, dtype, encoding, dimensions, shardRows } = output;
  const runDim = run.dim ?? BUILT_IN_DIM;
  const oldHeader = append?.old.header ?? null;
  const shape: OutputShape = { rows, dim: oldHeader?.dim ?? Math.min(dimensions ?? runDim, runDim) };
  if (append !== null) await append.old.copyVectors(append.copyPath);
  const columns =
    input === null
      ? []
      : outputColumns(input.spool.columns, { idField: input.idField, taken: takenNames(output) });
  const joined = (slices: AsyncIterable<VectorRows>): AsyncIterable<OutputRows> =>
    input === null ? slices : joinColumns(slices, input.spool.read(), columns);
  const open = async (): Promise<AsyncIterable<VectorRows>> => {
    const slices = await client.openRows(run);
    const fresh = shape.dim === runDim ? slices : shortenRows(slices, shape.dim);
    if (append === null || index === null) return fresh;
    return mergeRows(index.spool.read(), fresh, { path: append.copyPath, dim: shape.dim });
  };
  const { model, precision } = run.options;
  const fingerprint = run.fingerprint ?? oldHeader?.fingerprint ?? null;
  const metadata = vectorMetadata({ model, precision, fingerprint, dim: shape.dim });
  const encode = (source: AsyncIterable<OutputRows>, rowsHere: number) => {
    const here = { rows: rowsHere, dim: shape.dim };
    return FORMATS[format].encode(source, here, { encoding, dtype, columns, metadata });
  };
  const openRows = async () => joined(await open());
  const marks = new Uint8Array(rows);
  let hash = createHash('sha256');
  const writeOne = () =>
    download(
      path,
      async () => {
        hash = createHash('sha256');
        return hashChunks(encode(markPresent(await openRows(), marks), rows), hash);
      },
      { format, rows, dtype },
    );
  const vectors =
    shardRows === null
      ? [await writeOne()]
      : await writeShards({ path, format, dtype, rows, shardRows, open: openRows, encode, retry });
  const sha256 = hash.digest('hex');
  const indexDraft =
    index === null
      ? null
      : await writeDraft(
          rowIndexPath(path, sha256),
          encodeRowIndex(
            { version: 1, rows, dim: shape.dim, model, fingerprint, options: index.options, sha256 },
            () => digestsOfPresent(index.spool.read(), (row) => marks[row] === 1),
          ),
          { format: 'rows', rows },
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
  const drafts = [indexDraft, ids, scales, report, ...vectors].filter((draft) => draft !== null);
  await onDrafts(drafts);
  await destination.publish(drafts, stale);
  // Shards do not replace a single file of this name, which keeps its index.
  if (shardRows === null) await removeOldIndexes(path, sha256);
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

/** Passes rows on and sets `marks` for those with a vector. */
async function* markPresent(
  slices: AsyncIterable<OutputRows>,
  marks: Uint8Array,
): AsyncGenerator<OutputRows> {
  let first = 0;
  for await (const slice of slices) {
    marks.set(slice.present, first);
    first += slice.ids.length;
    yield slice;
  }
}

async function* hashChunks(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Names of the columns that an output has anyway. */
export function takenNames({ format, dtype, encoding }: OutputTarget): string[] {
  const isText = format === 'jsonl' && encoding === 'base64';
  return ['id', 'vector', ...(dtype === 'int8' ? ['scale'] : []), ...(isText ? ['dtype'] : [])];
}
