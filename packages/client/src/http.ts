/** One HTTP request at a time: URL, key, signals and the errors of an answer; the client makes all its calls here. */

import { connectionFault, errorOf } from './errors.ts';

/** Where the producer is, and how to speak to it. */
export interface ClientOptions {
  /** Base URL such as `http://127.0.0.1:8080`; a function is asked for every request, for a producer that moves. */
  url: string | (() => string);
  /** Sent as `Authorization: Bearer`. Default: none. */
  apiKey?: string | undefined;
  /** Breaks off every request that is under way. */
  signal?: AbortSignal | undefined;
  /** Default: the global `fetch`. */
  fetch?: typeof fetch;
}

/** What every call takes. */
export interface CallOptions {
  /** Breaks off this call; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

/** What is sent besides method and path. */
export interface Sent extends CallOptions {
  body?: Uint8Array | string;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Throws {@link ApiError} for a refusal, {@link PassingFault} for a fault that passes, and the signal's reason when it was
 * aborted. Repeats nothing.
 */
export class Http {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The base URL at this moment, without a slash at its end. */
  get url(): string {
    const { url } = this.#options;
    return (typeof url === 'string' ? url : url()).replace(/\/+$/, '');
  }

  /** The answer to a request, when it is 2xx. */
  async request(method: string, path: string, { body, headers, signal }: Sent = {}): Promise<Response> {
    const { apiKey, fetch = globalThis.fetch } = this.#options;
    const combined = this.#signal(signal);
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        headers: { ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
        // What is sent is never shared memory, which is all that this type excludes.
        ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
        ...(combined === undefined ? {} : { signal: combined }),
      });
    } catch (thrown) {
      throw this.#fault(thrown, combined);
    }
    if (!response.ok) throw await errorOf(response, this.url);
    return response;
  }

  /** The JSON of an answer. */
  async json<Value>(method: string, path: string, sent: Sent = {}): Promise<Value> {
    const response = await this.request(method, path, sent);
    try {
      return (await response.json()) as Value;
    } catch (thrown) {
      throw this.#fault(thrown, this.#signal(sent.signal));
    }
  }

  /** The bytes of an answer as they come; breaking off the loop ends the request. */
  async open(path: string, sent: Sent = {}): Promise<AsyncIterable<Uint8Array>> {
    return this.#chunks(await this.request('GET', path, sent), this.#signal(sent.signal));
  }

  // Not `for await` over the body: Safari has no such loop for streams.
  async *#chunks({ body }: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const reader = body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((thrown) => {
          throw this.#fault(thrown, signal);
        });
        if (done) return;
        yield value;
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #signal(ofCall: AbortSignal | undefined): AbortSignal | undefined {
    const { signal } = this.#options;
    if (signal === undefined || ofCall === undefined) return signal ?? ofCall;
    return AbortSignal.any([signal, ofCall]);
  }

  #fault(thrown: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? signal.reason : connectionFault(thrown, this.url);
  }
}
