/** What all files of a completed run have in common; the results and report routes use it. */

import { RequestError } from '@embedmill/contract';
import type { Run, Runs } from '@embedmill/core/runs';
import { create as contentDisposition } from 'content-disposition';
import type { Request } from 'express';
import { idOf } from './methods.ts';

/**
 * The run of a request.
 * @throws {RequestError} `unknown-run`; `run-not-completed` (facts: `state`)
 */
export function completedRun(runs: Runs, req: Request): Run {
  const run = runs.get(idOf(req));
  if (run.state === 'completed') return run;
  throw new RequestError(
    'run-not-completed',
    `run ${run.id} is ${run.state}; its files are there once it is completed`,
    {
      facts: { state: run.state },
    },
  );
}

/** Kind of a file. */
export interface FileKind {
  contentType: string;
  /** With the dot. */
  extension: string;
  /** Tells the files of one run apart in their ETag. */
  variant: string;
}

/** Headers of a file. Its bytes are fixed from the end of the run on, so id, end and kind identify them. */
export function fileHeaders(run: Run, { contentType, extension, variant }: FileKind) {
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
