/** The rows of a run with their vectors, downloaded in order while the run goes on. */

import type { RetryOptions } from '@embedmill/client';
import type { ReportRow, VectorBlock, VectorRows } from '@embedmill/contract';
import type { PartQueue } from './part-queue.ts';
import type { RunClient } from './run-client.ts';

/** Downloaded rows, and why some of them have no vector. */
export interface DownloadedRows extends VectorRows {
  readonly missing: readonly ReportRow[];
}

/** Dependencies of {@link downloadRows}. */
export interface DownloadDeps {
  client: Pick<RunClient, 'followParts'>;
  /** Id of the run. */
  run: string;
  parts: PartQueue;
  retry: RetryOptions;
}

/** The rows of all parts; each part is there as soon as its rows are done. */
export async function* downloadRows(
  { client, run, parts, retry }: DownloadDeps,
  signal: AbortSignal,
): AsyncGenerator<DownloadedRows> {
  let rows = 0;
  for await (const { blocks } of client.followParts(run, parts.read(signal), { ...retry, signal })) {
    for (const block of blocks) {
      yield numberRows(block, rows);
      rows += block.ids.length;
    }
  }
}

/** A row without an id has its number, from 1. */
function numberRows({ ids: given, dim, vectors, missing }: VectorBlock, before: number): DownloadedRows {
  const ids = given.map((id, row) => id ?? String(before + row + 1));
  const present = new Uint8Array(ids.length).fill(1);
  for (const { row } of missing) present[row] = 0;
  return {
    ...{ ids, dim, vectors, present },
    missing: missing.map(({ row, ...why }) => ({ id: ids[row] ?? '', ...why })),
  };
}
