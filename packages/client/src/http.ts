/** Makes the HTTP requests of the client: base URL, API key, abort signals and error responses. */

import { connectionFault, errorOf, PassingFault } from './errors.ts';
import { exemptLoopback } from './loopback.ts';
import { withRetry } from './retry.ts';

/** Time for which a cut download tries to continue before it fails. */
const RESUME_MS = 30_000;

/** The address of the producer, and the options of all requests to it. */
export interface ClientOptions {
  /**
   * Base URL such as `http://127.0.0.1:8080`; a function is called for every request, so the URL may change.
   */
  url: string | (() => string);
  /** API key, sent as `Authorization: Bearer`. Default: none. */
  apiKey?: string | undefined;
  /** Aborts all pending requests. */
  signal?: AbortSignal | undefined;
  /** The `fetch` function to use. Default: the global one. */
  fetch?: typeof fetch;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts this call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The body, headers and signal of a request. */
export interface RequestContent extends CallOptions {
  /** A stream is sent as it is read. */
  body?: Uint8Array | string | AsyncIterable<Uint8Array>;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Throws {@link ApiError} for a rejected request, {@link PassingFault} for a temporary failure, and the
 * reason of an aborted signal. Does not retry.
 */
export class Http {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The current base URL, without a trailing slash. */
  get url(): string {
    const { url } = this.#options;
    return (typeof url === 'string' ? url : url()).replace(/\/+$/, '');
  }

  /** Makes a request and returns its 2xx response. */
  async request(
    method: string,
    path: string,
    { body, headers, signal }: RequestContent = {},
  ): Promise<Response> {
    const { apiKey, fetch = globalThis.fetch } = this.#options;
    const combined = this.#signal(signal);
    const { url } = this;
    exemptLoopback(url);
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
        ...bodyOf(body),
        ...(combined === undefined ? {} : { signal: combined }),
      });
    } catch (thrown) {
      throw this.#fault(thrown, combined);
    }
    if (!response.ok) throw await errorOf(response, this.url);
    return response;
  }

  /** Makes a request and returns the JSON of its response. */
  async json<Value>(method: string, path: string, content: RequestContent = {}): Promise<Value> {
    const response = await this.request(method, path, content);
    try {
      return (await response.json()) as Value;
    } catch (thrown) {
      throw this.#fault(thrown, this.#signal(content.signal));
    }
  }

  /**
   * Makes a GET request and streams the bytes of its response; leaving the loop ends the request. A download that is cut continues
   * where it stopped, if the producer supports ranges of this file.
   */
  async open(path: string, content: RequestContent = {}): Promise<AsyncIterable<Uint8Array>> {
    // As it is stored, so that a cut download can continue, and because a compressed one costs more time than it saves
    // on most networks. Browsers ignore this header.
    const plain = { ...content, headers: { 'accept-encoding': 'identity', ...content.headers } };
    return this.#download(path, plain, await this.request('GET', path, plain));
  }

  /** Makes a GET request and streams the bytes of its response, which states their number. */
  async openSized(
    path: string,
    content: RequestContent = {},
  ): Promise<{ bytes: number; chunks: AsyncIterable<Uint8Array> }> {
    const response = await this.request('GET', path, content);
    const bytes = Number(response.headers.get('content-length'));
    return { bytes, chunks: this.read(response, this.#signal(content.signal)) };
  }

  async *#download(path: string, content: RequestContent, first: Response): AsyncGenerator<Uint8Array> {
    const signal = this.#signal(content.signal);
    const etag = first.headers.get('accept-ranges') === 'bytes' ? first.headers.get('etag') : null;
    let received = 0;
    for (let response = first; ; ) {
      const before = received;
      try {
        for await (const chunk of this.read(response, signal)) {
          received += chunk.byteLength;
          yield chunk;
        }
        return;
      } catch (error) {
        // Without a new byte, another attempt would end in the same way.
        if (!(error instanceof PassingFault) || etag === null || received === before) throw error;
        const headers = { ...content.headers, range: `bytes=${received}-`, 'if-range': etag };
        const request = () => this.request('GET', path, { ...content, headers });
        response = await withRetry(request, { signal, patienceMs: RESUME_MS });
        if (response.status === 206) continue;
        // Another file, from its start.
        await response.body?.cancel();
        throw error;
      }
    }
  }

  /** The bytes of a response; leaving the loop ends the request. A cut response is a {@link PassingFault}. */
  async *read({ body }: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    // Not `for await` over the body: Safari has no async iteration of streams.
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

  #signal(callSignal: AbortSignal | undefined): AbortSignal | undefined {
    const { signal } = this.#options;
    if (signal === undefined || callSignal === undefined) return signal ?? callSignal;
    return AbortSignal.any([signal, callSignal]);
  }

  #fault(thrown: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? signal.reason : connectionFault(thrown, this.url);
  }
}

/** Options of `fetch` for a body. */
function bodyOf(body: RequestContent['body']): RequestInit {
  if (body === undefined) return {};
  // The type excludes shared memory only, and bodies are never in shared memory.
  if (typeof body === 'string' || body instanceof Uint8Array)
    return { body: body as string | Uint8Array<ArrayBuffer> };
  const chunks = body[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: async (reason) => void (await chunks.return?.(reason)),
  });
  // `duplex` is not in the types of all platforms. Without the other two, `fetch` of Node keeps a copy of the whole body for
  // the case that it has to send it again.
  return { body: stream, duplex: 'half', redirect: 'error', window: null } as RequestInit;
}
