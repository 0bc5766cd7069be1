/** What a command asks of the producer that embeds its rows, or of several producers that share them. */

import type { EmbedmillClient, NewRun } from '@embedmill/client';
import { BUILT_IN_DIM, type RunInfo, UPLOADS_AT_A_TIME, type VectorRows } from '@embedmill/contract';
import { readResultLines } from '../../io/columns/results.ts';

/** Between the ids of several runs. */
const ID_SEPARATOR = ',';

/** The id of a run that consists of several, in the order of the producers. */
export function joinIds(ids: readonly string[]): string {
  return ids.join(ID_SEPARATOR);
}

/** The ids that {@link joinIds} joined; one for the run of one producer. */
export function idsIn(id: string): string[] {
  return id.split(ID_SEPARATOR);
}

/** The run of one producer among several. */
export interface ProducerShare {
  /** URL of the producer. */
  server: string;
  /** Id of its run. */
  run: string;
  /** Rows that it embedded. */
  rows: number;
}

/** The calls about a run. Like those of the client, they do not retry unless their description says so. */
export interface RunClient
  extends Pick<EmbedmillClient, 'getRun' | 'getParts' | 'sendPart' | 'seal' | 'getHealth' | 'openReport'> {
  /** URL of the producer; of several, with commas. */
  readonly url: string;
  /** Maximum parts that are sent at a time. */
  readonly uploads: number;
  createRun(run: NewRun): Promise<RunInfo>;
  /** The vectors of a completed run, in the order in which its rows were read. */
  openRows(run: RunInfo): Promise<AsyncIterable<VectorRows>>;
  /** The share of each producer; `null` for one. */
  shares(): ProducerShare[] | null;
}

/** The calls to one producer. */
export function runClientOf(client: EmbedmillClient): RunClient {
  return {
    get url() {
      return client.url;
    },
    uploads: UPLOADS_AT_A_TIME,
    createRun: (run) => client.createRun(run),
    getRun: (id) => client.getRun(id),
    getParts: (id) => client.getParts(id),
    sendPart: (id, part, body, options) => client.sendPart(id, part, body, options),
    seal: (id) => client.seal(id),
    getHealth: (options) => client.getHealth(options),
    openReport: (id) => client.openReport(id),
    openRows: (run) => openRows(client, run),
    shares: () => null,
  };
}

/** Opens the vectors of a completed run in row order. */
export async function openRows(
  client: EmbedmillClient,
  { id, dim }: Pick<RunInfo, 'id' | 'dim'>,
): Promise<AsyncIterable<VectorRows>> {
  const lines = await client.openResults(id, 'jsonl', { encoding: 'base64', dtype: 'float32' });
  return readResultLines(lines, dim ?? BUILT_IN_DIM);
}
