/** The native API of a producer, one method per route, and the longer ways that programs go with it. */

import type { FormatName, PartReceipt, ReportRow, RunInfo, Scale, TextInput } from '@embedmill/contract';
import { embedTexts } from './embed.ts';
import { type CallOptions, type ClientOptions, Http } from './http.ts';
import { readJsonLines } from './lines.ts';
import { pack, type SendRowsOptions, type SentRows, sendRows } from './send-rows.ts';
import type {
  Embeddings,
  EmbedOptions,
  KnownPart,
  NewRun,
  ResultOptions,
  RowInput,
  RunFilter,
  RunPage,
} from './types.ts';
import { type ReadVectorsOptions, readVectors, type VectorBatch } from './vectors.ts';
import { type WaitOptions, waitForRun } from './wait.ts';

/**
 * Methods that make one request repeat nothing ({@link withRetry} does); `sendRows` and `waitFor` repeat what fails for a
 * passing reason. Every method throws `ApiError` for a refusal, `PassingFault` for a fault that passes, and the reason of
 * a signal that was aborted.
 */
export class EmbedmillClient {
  readonly #http: Http;

  constructor(options: ClientOptions) {
    this.#http = new Http(options);
  }

  /** Base URL at this moment. */
  get url(): string {
    return this.#http.url;
  }

  /** Embeds a few texts now, ahead of every bulk run; at most 2 048. */
  embed(texts: readonly TextInput[], options: EmbedOptions & CallOptions = {}): Promise<Embeddings> {
    return embedTexts(this.#http, texts, options);
  }

  /** Starts a run; with an `idempotencyKey` the same call again gives the same run, so that it can be repeated. */
  createRun(
    run: NewRun = {},
    { signal, idempotencyKey }: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<RunInfo> {
    const { body, headers } = json(run);
    const named = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.#http.json('POST', '/v1/runs', { signal, body, headers: { ...headers, ...named } });
  }

  /** One page of runs, the newest first. */
  listPage({ limit, after, state }: RunFilter = {}, options: CallOptions = {}): Promise<RunPage> {
    return this.#http.json('GET', `/v1/runs${queryOf({ limit, after, state })}`, options);
  }

  /** All runs, the newest first. */
  async listRuns(options: CallOptions = {}): Promise<RunInfo[]> {
    const all: RunInfo[] = [];
    let after: string | undefined;
    do {
      const page = await this.listPage({ limit: 1000, ...(after === undefined ? {} : { after }) }, options);
      all.push(...page.runs);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return all;
  }

  getRun(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('GET', runPath(id), options);
  }

  /** Receipts of the parts that are whole. */
  async getParts(id: string, options: CallOptions = {}): Promise<KnownPart[]> {
    return (await this.#http.json<{ parts: KnownPart[] }>('GET', `${runPath(id)}/parts`, options)).parts;
  }

  /**
   * Sends NDJSON rows as one part; resolves when they are safe at the producer, which takes its time while workers are
   * behind. The same part again changes nothing.
   */
  async sendPart(
    id: string,
    part: number,
    body: Uint8Array,
    { gzip = false, signal }: CallOptions & { gzip?: boolean } = {},
  ): Promise<PartReceipt> {
    return this.#http.json('POST', `${runPath(id)}/rows?part=${part}`, {
      signal,
      body: gzip ? await pack(body) : body,
      headers: { 'content-type': 'application/x-ndjson', ...(gzip ? { 'content-encoding': 'gzip' } : {}) },
    });
  }

  /** Sends rows as parts, taking them from their source as fast as the producer does. */
  sendRows(
    id: string,
    rows: Iterable<RowInput> | AsyncIterable<RowInput>,
    options: SendRowsOptions = {},
  ): Promise<SentRows> {
    const { signal } = options;
    return sendRows((part, body, { gzip }) => this.sendPart(id, part, body, { gzip, signal }), rows, options);
  }

  /** No more rows will come. */
  seal(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/seal`, options);
  }

  /** Resolves with the run when it is completed, and tells how far it is. */
  waitFor(id: string, options: WaitOptions = {}): Promise<RunInfo> {
    return waitForRun(this.#http, id, options);
  }

  /** Ends a run now. */
  cancel(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/cancel`, options);
  }

  /** Embeds the failed rows of a completed run again. */
  retry(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/retry`, options);
  }

  /** Ends a run if need be and removes its files. */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#http.request('DELETE', runPath(id), options);
  }

  /** Vectors of a completed run with their ids, in row order, a batch at a time. */
  readVectors(id: string, options: ReadVectorsOptions = {}): AsyncGenerator<VectorBatch> {
    return readVectors(this.#http, id, options);
  }

  /** Rows without a vector and why; with `truncated` also those that were cut. */
  async *readReport(
    id: string,
    options: CallOptions & { truncated?: boolean } = {},
  ): AsyncGenerator<ReportRow> {
    const query = queryOf({ include: options.truncated === true ? 'truncated' : undefined });
    yield* readJsonLines<ReportRow>(await this.#http.open(`${runPath(id)}/report${query}`, options));
  }

  /** The file of vectors of a completed run, in row order. */
  openResults(
    id: string,
    format: FormatName,
    { encoding, dtype, ...options }: ResultOptions & CallOptions = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const query = queryOf({
      format,
      encoding: format === 'jsonl' ? encoding : undefined,
      dtype,
    });
    return this.#http.open(`${runPath(id)}/results${query}`, options);
  }

  /** The file of ids in row order: one JSON object with `id` per line. */
  openIds(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/ids`, options);
  }

  /** What the rows of an int8 `.npy` are to be multiplied by, as a float32 `.npy` of one number per row. */
  openScales(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/scales`, options);
  }

  /** The file of rows without a vector: one JSON object per line. */
  openReport(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/report`, options);
  }

  /** Backlog and speed of the fleet, and the workers that would finish in time. */
  getScale(options: CallOptions = {}): Promise<Scale> {
    return this.#http.json('GET', '/v1/scale', options);
  }

  /** Whether a producer answers under this URL at all. */
  async checkHealth(options: CallOptions = {}): Promise<void> {
    await this.#http.request('GET', '/healthz', options);
  }

  /** Whether runs could be accepted now. */
  async checkReady(options: CallOptions = {}): Promise<void> {
    await this.#http.request('GET', '/readyz', options);
  }
}

function runPath(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

function json(value: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

/** The query for what is there; empty when nothing is. */
function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
