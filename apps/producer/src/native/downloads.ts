/** The run and the headers of a download; shared by the routes for results, reports and search. */

import { RequestError } from '@embedmill/contract';
import type { Run, Runs } from '@embedmill/core/runs';
import { create as contentDisposition } from 'content-disposition';
import type { Request } from 'express';
import { idOf } from '../http/add-path.ts';

/**
 * The completed run that a request names.
 * @throws {RequestError} `unknown-run`; `run-not-completed` (facts: `state`)
 */
export function completedRun(runs: Runs, req: Request): Run {
  const run = runs.get(idOf(req));
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
