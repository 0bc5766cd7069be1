/**
 * Client for the native API of a producer: one method per route, and the operations composed of several
 * requests.
 */

import type {
  Alert,
  ColumnSource,
  DataStorage,
  FormatName,
  Health,
  PartReceipt,
  ReportRow,
  RunColumn,
  RunColumnValues,
  RunInfo,
  RunModels,
  Scale,
  SearchAnswer,
  SearchQuery,
  TextInput,
  VectorBlock,
} from '@embedmill/contract';
import { embedTexts } from './embed.ts';
import { type CallOptions, type ClientOptions, Http } from './http.ts';
import { readJsonLines } from './lines.ts';
import { followParts, type PartVectors, type ReadPartOptions, readPart } from './part-vectors.ts';
import type { RetryOptions } from './retry.ts';
import { compress, type SendRowsOptions, type SentRows, sendRows } from './send-rows.ts';
import type {
  Embeddings,
  EmbedOptions,
  KeptColumns,
  KnownPart,
  NewRun,
  ResultOptions,
  RowInput,
  RunFilter,
  RunPage,
  WorkerModel,
} from './types.ts';
import { type ReadVectorsOptions, readVectors, type VectorBatch } from './vectors.ts';
import { type WaitOptions, waitForRun } from './wait.ts';

/**
 * Methods that make one request do not retry (see {@link withRetry}); `sendRows` and `waitFor` retry
 * temporary failures. Every method throws `ApiError` for a rejected request, `PassingFault` for a temporary
 * failure, and the reason of an aborted signal.
 */
export class EmbedmillClient {
  readonly #http: Http;

  constructor(options: ClientOptions) {
    this.#http = new Http(options);
  }

  /** The current base URL. */
  get url(): string {
    return this.#http.url;
  }

  /** Embeds up to 2,048 texts ahead of all bulk runs. */
  embed(texts: readonly TextInput[], options: EmbedOptions & CallOptions = {}): Promise<Embeddings> {
    return embedTexts(this.#http, texts, options);
  }

  /** Creates a run. With an `idempotencyKey` the call can be repeated: the same key returns the same run. */
  createRun(
    run: NewRun = {},
    { signal, idempotencyKey }: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<RunInfo> {
    const { body, headers } = json(run);
    const named = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.#http.json('POST', '/v1/runs', { signal, body, headers: { ...headers, ...named } });
  }

  /** Returns one page of runs, newest first. */
  listPage({ limit, after, state }: RunFilter = {}, options: CallOptions = {}): Promise<RunPage> {
    return this.#http.json('GET', `/v1/runs${queryOf({ limit, after, state })}`, options);
  }

  /**
   * Returns runs, newest first, page by page.
   * @param options with `limit`, the maximum number of runs (default: all), and `state`, the state of all of them
   */
  async listRuns({
    limit = Number.POSITIVE_INFINITY,
    state,
    ...options
  }: CallOptions & { limit?: number | undefined; state?: RunInfo['state'] | undefined } = {}): Promise<
    RunInfo[]
  > {
    const all: RunInfo[] = [];
    let after: string | undefined;
    do {
      const filter = {
        limit: Math.min(1000, limit - all.length),
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { after }),
      };
      const page = await this.listPage(filter, options);
      all.push(...page.runs);
      after = page.next ?? undefined;
    } while (after !== undefined && all.length < limit);
    return all;
  }

  /** Returns the options, state and progress of a run. */
  getRun(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('GET', runPath(id), options);
  }

  /** Returns the receipts of the completely uploaded parts. */
  async getParts(id: string, options: CallOptions = {}): Promise<KnownPart[]> {
    return (await this.#http.json<{ parts: KnownPart[] }>('GET', `${runPath(id)}/parts`, options)).parts;
  }

  /**
   * Sends NDJSON rows as one part. Resolves when the producer has stored them, which takes longer while the
   * workers are behind. Idempotent: sending the same part again returns its first receipt.
   * @param options with `columns`, whose values are kept with the rows; default: none
   */
  async sendPart(
    id: string,
    part: number,
    body: Uint8Array,
    {
      gzip = false,
      columns,
      signal,
    }: CallOptions & { gzip?: boolean; columns?: KeptColumns | undefined } = {},
  ): Promise<PartReceipt> {
    const query = queryOf({ part, columns: typeof columns === 'string' ? columns : columns?.join(',') });
    return this.#http.json('POST', `${runPath(id)}/rows${query}`, {
      signal,
      body: gzip ? await compress(body) : body,
      headers: { 'content-type': 'application/x-ndjson', ...(gzip ? { 'content-encoding': 'gzip' } : {}) },
    });
  }

  /** Sends rows as parts; reads the source only as fast as the producer accepts the rows. */
  sendRows(
    id: string,
    rows: Iterable<RowInput> | AsyncIterable<RowInput>,
    options: SendRowsOptions = {},
  ): Promise<SentRows> {
    const { signal, columns } = options;
    return sendRows(
      (part, body, { gzip }) => this.sendPart(id, part, body, { gzip, columns, signal }),
      rows,
      options,
    );
  }

  /** Seals a run: it accepts no more rows and completes when its rows are done. */
  seal(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/seal`, options);
  }

  /** Resolves with the run when it is completed; reports progress until then. */
  waitFor(id: string, options: WaitOptions = {}): Promise<RunInfo> {
    return waitForRun(this.#http, id, options);
  }

  /** Cancels a run; rows that are not done yet are not embedded. */
  cancel(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/cancel`, options);
  }

  /** Retries the failed rows of a completed run. */
  retry(id: string, options: CallOptions = {}): Promise<RunInfo> {
    return this.#http.json('POST', `${runPath(id)}/retry`, options);
  }

  /** Searches a completed run by meaning and words, or for rows like a row; returns the best rows first. */
  search(id: string, query: SearchQuery, options: CallOptions = {}): Promise<SearchAnswer> {
    return this.#http.json('POST', `${runPath(id)}/search`, { ...options, ...json(query) });
  }

  /** Returns the columns of a completed run and the kinds of their values. */
  async getColumns(id: string, options: CallOptions = {}): Promise<RunColumn[]> {
    const path = `${runPath(id)}/columns`;
    return (await this.#http.json<{ columns: RunColumn[] }>('GET', path, options)).columns;
  }

  /**
   * Returns the values of one column of a completed run, in row order.
   * @param options with `source`, where the input and the run have a column with this name
   */
  getColumn(
    id: string,
    name: string,
    { source, ...options }: CallOptions & { source?: ColumnSource } = {},
  ): Promise<RunColumnValues> {
    const path = `${runPath(id)}/columns/${encodeURIComponent(name)}${queryOf({ source })}`;
    return this.#http.json('GET', path, options);
  }

  /** Returns the models that runs may use. */
  runModels(options: CallOptions = {}): Promise<RunModels> {
    return this.#http.json('GET', '/v1/run-models', options);
  }

  /**
   * Deletes a run and its files; cancels it first if it is active.
   * @param options with `onlyUnused`, a run that is active or being read is refused
   */
  async delete(
    id: string,
    { onlyUnused, ...options }: CallOptions & { onlyUnused?: boolean } = {},
  ): Promise<void> {
    const query = queryOf({ onlyUnused: onlyUnused === true ? 'true' : undefined });
    await this.#http.request('DELETE', `${runPath(id)}${query}`, options);
  }

  /**
   * Downloads a finished run as one file, which `importRun` takes.
   * @returns the bytes and their number; a stream that is cut throws
   */
  async openExport(
    id: string,
    options: CallOptions = {},
  ): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> }> {
    return await this.#http.openSized(`${runPath(id)}/export`, options);
  }

  /** Imports an exported run, with its id or as a new run. */
  importRun(
    file: AsyncIterable<Uint8Array>,
    { asNew, ...options }: CallOptions & { asNew?: boolean } = {},
  ): Promise<RunInfo> {
    const query = queryOf({ asNew: asNew === true ? 'true' : undefined });
    return this.#http.json('POST', `/v1/runs/import${query}`, {
      ...options,
      body: file,
      headers: { 'content-type': 'application/x-tar' },
    });
  }

  /** Reads the vectors of a completed run with their ids, in row order and in batches. */
  readVectors(id: string, options: ReadVectorsOptions = {}): AsyncGenerator<VectorBatch> {
    return readVectors(this.#http, id, options);
  }

  /**
   * Reads the vectors of one part as soon as its rows are done, also before the run is completed; waits until then.
   * Rows without an id have `null`: their id is their number in the run.
   */
  readPart(id: string, part: number, options: ReadPartOptions = {}): Promise<VectorBlock[]> {
    return readPart(this.#http, id, part, options);
  }

  /**
   * Reads the vectors of these parts in their order while the run goes on, several parts at a time; retries temporary
   * failures.
   * @param parts part numbers in row order; more of them may be known later
   */
  followParts(
    id: string,
    parts: Iterable<number> | AsyncIterable<number>,
    options: RetryOptions = {},
  ): AsyncGenerator<PartVectors> {
    return followParts(parts, (part, call) => this.readPart(id, part, call), options);
  }

  /** Reads the rows without a vector and the reasons; with `truncated` also the truncated rows. */
  async *readReport(
    id: string,
    options: CallOptions & { truncated?: boolean } = {},
  ): AsyncGenerator<ReportRow> {
    const query = queryOf({ include: options.truncated === true ? 'truncated' : undefined });
    yield* readJsonLines<ReportRow>(await this.#http.open(`${runPath(id)}/report${query}`, options));
  }

  /** Downloads the vectors of a completed run, in row order. */
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

  /** Downloads the ids in row order: one JSON object with `id` per line. */
  openIds(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/ids`, options);
  }

  /** Downloads the scales of an int8 `.npy`, as a float32 `.npy` of one number per row. */
  openScales(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/scales`, options);
  }

  /** Downloads the report of rows without a vector: one JSON object per line. */
  openReport(id: string, options: CallOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.open(`${runPath(id)}/report`, options);
  }

  /** Returns the backlog, the speed of the workers, and the number of workers that would finish in time. */
  getScale(options: CallOptions = {}): Promise<Scale> {
    return this.#http.json('GET', '/v1/scale', options);
  }

  /** What is on the disk of the producer; `null` until its data folder is open. */
  async getStorage(options: CallOptions = {}): Promise<DataStorage | null> {
    return (
      (await this.#http.json<{ storage?: DataStorage | null }>('GET', '/v1/overview', options)).storage ??
      null
    );
  }

  /** What is wrong with the producer now, and what ends it. */
  getHealth(options: CallOptions = {}): Promise<Health> {
    return this.#http.json('GET', '/v1/health', options);
  }

  /** The alerts of Prometheus that fire, the critical ones first. */
  async listAlerts(options: CallOptions = {}): Promise<Alert[]> {
    const { alerts } = await this.#http.json<{ alerts: Alert[] }>('GET', '/v1/alerts', options);
    return alerts;
  }

  /** Returns the version of the producer, such as `0.1.0`. */
  async getVersion(options: CallOptions = {}): Promise<string> {
    return (await this.#http.json<{ version: string }>('GET', '/healthz', options)).version;
  }

  /** Returns the models that the connected workers serve, one element per worker and model. */
  async getWorkers(options: CallOptions = {}): Promise<WorkerModel[]> {
    const { workers } = await this.#http.json<{ workers: WorkerSummary[] }>('GET', '/v1/overview', options);
    return workers.flatMap(({ model, fingerprint, otherModels = [] }) => [
      { model, fingerprint },
      ...otherModels.map((other) => ({ model: other.name, fingerprint: other.fingerprint })),
    ]);
  }

  /** Resolves if a producer is running at this URL. */
  async checkHealth(options: CallOptions = {}): Promise<void> {
    await this.#http.request('GET', '/healthz', options);
  }

  /** Resolves if the producer can accept runs now. */
  async checkReady(options: CallOptions = {}): Promise<void> {
    await this.#http.request('GET', '/readyz', options);
  }
}

/** What `getWorkers` reads of a worker; the producer omits `otherModels` for workers of older versions. */
type WorkerSummary = WorkerModel & { otherModels?: { name: string; fingerprint: string }[] };

function runPath(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

function json(value: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

/** The query string of all defined values; empty if there are none. */
function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
