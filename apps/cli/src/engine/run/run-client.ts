/** What a command asks of the producer that embeds its rows, or of several producers that share them. */

import type { EmbedmillClient, NewRun } from '@embedmill/client';
import { type RunInfo, UPLOADS_AT_A_TIME } from '@embedmill/contract';

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
  extends Pick<EmbedmillClient, 'getRun' | 'getParts' | 'sendPart' | 'seal' | 'getHealth' | 'followParts'> {
  /** URL of the producer; of several, with commas. */
  readonly url: string;
  /** Maximum parts that are sent at a time. */
  readonly uploads: number;
  /** @param requestKey name of this request: a repeated call with it returns the same run */
  createRun(run: NewRun, requestKey: string): Promise<RunInfo>;
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
    createRun: (run, idempotencyKey) => client.createRun(run, { idempotencyKey }),
    getRun: (id) => client.getRun(id),
    getParts: (id) => client.getParts(id),
    sendPart: (id, part, body, options) => client.sendPart(id, part, body, options),
    seal: (id) => client.seal(id),
    getHealth: (options) => client.getHealth(options),
    followParts: (id, parts, options) => client.followParts(id, parts, options),
    shares: () => null,
  };
}
