/** Speaks to a producer over HTTP; every command that needs vectors or runs has one. */

import type { PartReceipt, RunInfo } from '@embedmill/core';
import { connectionFault, errorOf } from './errors.ts';
import type { KnownPart, NewRun, ResultFormat, RunPage, Scale, VectorEncoding } from './types.ts';

/** What a client works with. */
export interface ProducerClientParts {
  /** Base URL; asked for every request, because an embedded producer that is started again has another port. */
  url: () => string;
  /** Breaks off requests that are under way. */
  signal: AbortSignal;
}

/** What is sent besides method and path. */
interface Body {
  body: Uint8Array | string;
  type: string;
}

/**
 * One request per call, no repetition: that is `withPatience`'s work.
 * Every method throws {@link ApiError} for a refusal, {@link PassingFault} for a fault that passes, and the signal's
 * reason when it was aborted.
 */
export class ProducerClient {
  readonly #parts: ProducerClientParts;

  constructor(parts: ProducerClientParts) {
    this.#parts = parts;
  }

  get url(): string {
    return this.#parts.url().replace(/\/+$/, '');
  }

  createRun(run: NewRun): Promise<RunInfo> {
    return this.#json('POST', '/v1/runs', json(run));
  }

  /** All runs, the newest first. */
  async listRuns(): Promise<RunInfo[]> {
    const all: RunInfo[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const query: string = after === '' ? '?limit=1000' : `?limit=1000&after=${after}`;
      const page: RunPage = await this.#json('GET', `/v1/runs${query}`);
      all.push(...page.runs);
      after = page.next;
    }
    return all;
  }

  getRun(id: string): Promise<RunInfo> {
    return this.#json('GET', runPath(id));
  }

  /** Receipts of the parts that are whole. */
  async getParts(id: string): Promise<KnownPart[]> {
    return (await this.#json<{ parts: KnownPart[] }>('GET', `${runPath(id)}/parts`)).parts;
  }

  /** Sends NDJSON rows; resolves when they are safe at the producer, which takes its time while workers are behind. */
  sendPart(id: string, part: number, body: Uint8Array): Promise<PartReceipt> {
    return this.#json('POST', `${runPath(id)}/rows?part=${part}`, { body, type: 'application/x-ndjson' });
  }

  seal(id: string): Promise<RunInfo> {
    return this.#json('POST', `${runPath(id)}/seal`);
  }

  cancel(id: string): Promise<RunInfo> {
    return this.#json('POST', `${runPath(id)}/cancel`);
  }

  async delete(id: string): Promise<void> {
    await this.#request('DELETE', runPath(id));
  }

  /** The vectors of a completed run, in row order. */
  openResults(
    id: string,
    format: ResultFormat,
    encoding: VectorEncoding,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#open(
      `${runPath(id)}/results?format=${format}${format === 'jsonl' ? `&encoding=${encoding}` : ''}`,
    );
  }

  /** Ids in row order, one JSON string per line. */
  openIds(id: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#open(`${runPath(id)}/ids`);
  }

  /** Rows without a vector, one JSON object per line. */
  openReport(id: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#open(`${runPath(id)}/report`);
  }

  /** The backlog, and how many workers it asks for. */
  getScale(): Promise<Scale> {
    return this.#json('GET', '/v1/scale');
  }

  /** Whether a producer answers under this URL at all. */
  async checkHealth(): Promise<void> {
    await this.#request('GET', '/healthz');
  }

  /** Whether runs could be accepted now. */
  async checkReady(): Promise<void> {
    await this.#request('GET', '/readyz');
  }

  async #open(path: string): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#request('GET', path);
    return this.#chunks(body);
  }

  async *#chunks(body: Response['body']): AsyncGenerator<Uint8Array> {
    if (body === null) return;
    try {
      yield* body as unknown as AsyncIterable<Uint8Array>;
    } catch (thrown) {
      throw this.#fault(thrown);
    }
  }

  async #json<Value>(method: string, path: string, body?: Body): Promise<Value> {
    const response = await this.#request(method, path, body);
    try {
      return (await response.json()) as Value;
    } catch (thrown) {
      throw this.#fault(thrown);
    }
  }

  async #request(method: string, path: string, body?: Body): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        signal: this.#parts.signal,
        ...(body === undefined ? {} : { body: body.body, headers: { 'content-type': body.type } }),
      });
    } catch (thrown) {
      throw this.#fault(thrown);
    }
    if (!response.ok) throw await errorOf(response, this.url);
    return response;
  }

  #fault(thrown: unknown): unknown {
    const { signal } = this.#parts;
    return signal.aborted ? signal.reason : connectionFault(thrown, this.url);
  }
}

function runPath(id: string): string {
  return `/v1/runs/${encodeURIComponent(id)}`;
}

function json(value: unknown): Body {
  return { body: JSON.stringify(value), type: 'application/json' };
}
