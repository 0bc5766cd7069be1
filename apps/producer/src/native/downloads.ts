/** The run and the headers of a download; shared by the routes for results, reports and search. */

import { RequestError } from '@embedmill/contract';
import { type Run, type Runs, resultsShape } from '@embedmill/core/runs';
import { create as contentDisposition } from 'content-disposition';
import type { Request, Response } from 'express';
import { idOf } from '../http/add-path.ts';

/**
 * The run that a request names, held until the response is sent.
 * @throws {RequestError} `unknown-run`
 */
export async function heldRun(runs: Runs, req: Request, res: Response): Promise<Run> {
  const run = runs.get(idOf(req));
  const release = await run.hold();
  if (res.closed) release();
  else res.once('close', release);
  return run;
}

/**
 * The completed run that a request names, held until the response is sent.
 * @throws {RequestError} `unknown-run`; `run-not-completed` (facts: `state`)
 */
export async function completedRun(runs: Runs, req: Request, res: Response): Promise<Run> {
  const run = await heldRun(runs, req, res);
  if (run.state === 'completed') return run;
  throw new RequestError(
    'run-not-completed',
    `run ${run.id} is ${run.state}; its files are available once it is completed`,
    {
      facts: { state: run.state },
    },
  );
}

/** The type of a file of a run. */
export interface DownloadType {
  contentType: string;
  /** File name extension, with the dot. */
  extension: string;
  /** Distinguishes the files of one run in their ETag. */
  variant: string;
}

/**
 * Response headers of a file. Its bytes are fixed once the run has ended, so run, end time and variant
 * identify them.
 */
export function fileHeaders(run: Run, { contentType, extension, variant }: DownloadType) {
  const { endedAt, options } = run.info();
  return {
    'Content-Type': contentType,
    'Content-Disposition': contentDisposition(
      `${(options.name ?? run.id).replaceAll(/[/\\]/g, '_')}${extension}`,
    ),
    'Cache-Control': 'private, no-cache',
    ETag: `"${run.id}-${Date.parse(endedAt ?? '')}-${variant}"`,
  };
}

/** Memory of a Parquet row group or Arrow record batch: its rows, their columns and the encoded bytes. */
const GROUP_BYTES = 3 * 8 * 1024 * 1024;
/** Buffers of a stream besides the batch that it reads. */
const STREAM_BYTES = 256 * 1024;

/** Memory in which a download of a run is made: its largest batch, and for some formats a group of rows. */
export function downloadMemory(run: Run, { isGrouped = false } = {}): number {
  const { batches } = run.files.ledger;
  const { largest, all } = sizesOf(run, batches);
  return STREAM_BYTES + largest + (isGrouped ? Math.min(GROUP_BYTES, all) : 0);
}

/** Memory in which these batches of a run are sent, one after the other. */
export function batchesMemory(run: Run, numbers: readonly number[]): number {
  const { batches } = run.files.ledger;
  return (
    STREAM_BYTES +
    sizesOf(
      run,
      numbers.map((number) => batches[number]!),
    ).largest
  );
}

/** Memory of the largest of some batches, and of all of them, while they are sent. */
function sizesOf(run: Run, batches: Iterable<{ rows: number; span: { bytes: number } }>) {
  const { dim } = resultsShape(run);
  let largest = 0;
  let all = 0;
  for (const { rows, span } of batches) {
    // Vectors as stored and as sent; rows as bytes, as text and as values.
    const bytes = 2 * 4 * rows * dim + 3 * span.bytes;
    largest = Math.max(largest, bytes);
    all += bytes;
  }
  return { largest, all };
}

/** Memory in which the texts of some rows of a run are looked up and sent, on average. */
export function lookupMemory(run: Run, count: number): number {
  const { ledger } = run.files;
  const rowBytes = ledger.rowBytes / Math.max(1, ledger.acceptedRows);
  return downloadMemory(run) + Math.ceil(4 * count * rowBytes);
}

/** Copies of a stored analysis while it is read and sent: its file, its arrays, its JSON. */
const ANALYSIS_COPIES = 3;

/** Memory in which the stored analysis of a run is read and sent. */
export function analysisMemory(run: Run): number {
  return STREAM_BYTES + ANALYSIS_COPIES * run.files.analysis.bytes;
}
