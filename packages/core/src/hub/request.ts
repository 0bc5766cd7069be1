/** Requests to a hub: redirects, the token, timeouts, and messages for what can go wrong. */

import { asError, quote } from '@embedmill/contract';
import { HubError } from './hub-error.ts';
import type { HubOptions } from './options.ts';

/** Maximum redirects: a renamed repository, then the storage of the file. */
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Default of `HubOptions.timeoutMs`: a network that drops packets fails within it. */
export const TIMEOUT_MS = 15_000;

/** Network errors that say in a few words what to do, by code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be resolved',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  ENETUNREACH: 'no network',
  EHOSTUNREACH: 'no route to the host',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'the connection was closed',
};

/** Errors that a retry within seconds does not cure. */
const LASTING = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);

/** What a request asks for. */
export interface HubRequest {
  /** Path and query below the endpoint, encoded. */
  path: string;
  /** `owner/name` or `owner/name@revision`, for messages. */
  model: string;
  headers?: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/**
 * Sends a GET request and returns a response with status 200, 206 or 416. Redirects are followed here, because
 * the token must not reach another host.
 * @throws {HubError}
 */
export async function requestHub(hub: HubOptions, request: HubRequest): Promise<Response> {
  let url = new URL(`${hub.endpoint}${request.path}`);
  const home = url.origin;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(url, url.origin === home ? hub.token : undefined, hub, request);
    if ([200, 206, 416].includes(response.status)) return response;
    await response.body?.cancel().catch(() => {});
    if (!REDIRECTS.has(response.status)) throw refusal(response, url, hub, request.model);
    const location = response.headers.get('location') ?? '';
    if (!URL.canParse(location, url.href) || !/^https?:$/.test(new URL(location, url).protocol)) {
      throw new HubError('hub-broken', `${url.host} redirects to ${quote(location, 200)}; expected a URL`);
    }
    url = new URL(location, url);
  }
  throw new HubError('hub-broken', `${hub.endpoint} redirects more than ${MAX_REDIRECTS} times`);
}

async function send(
  url: URL,
  token: string | undefined,
  { timeoutMs = TIMEOUT_MS }: HubOptions,
  { headers, signal }: HubRequest,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    return await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
      // Ranges count bytes of the file, so it must arrive as it is.
      headers: {
        'accept-encoding': 'identity',
        'user-agent': 'embedmill',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw networkError(error, url.origin, late.signal.aborted ? timeoutMs : null);
  } finally {
    clearTimeout(timer);
  }
}

/** A failure of the network as one sentence with what can be done. @param timeoutMs if a timeout caused it */
export function networkError(thrown: unknown, origin: string, timeoutMs: number | null): HubError {
  const error = asError(thrown);
  const cause = error.cause === undefined ? error : asError(error.cause);
  const code = 'code' in cause ? String(cause.code) : '';
  const reason =
    timeoutMs === null
      ? (REASONS[code] ?? (cause.message || error.message))
      : `no response within ${Math.round(timeoutMs / 1000)} seconds`;
  return new HubError(
    'hub-unreachable',
    `cannot reach ${origin} (${reason}); check the network, set HF_ENDPOINT to a mirror, or copy the model folder ` +
      'from another machine and use "embedmill model add FOLDER"',
    { cause: error, retryable: !LASTING.has(code) && timeoutMs === null },
  );
}

/** The error for a status; bodies are not repeated, because proxies answer with pages. */
function refusal(
  { status, headers }: Response,
  { host }: URL,
  { endpoint, token }: HubOptions,
  model: string,
): HubError {
  const code = headers.get('x-error-code');
  const own = `${endpoint}/${model.replace(/@.*$/, '')}`;
  if (status === 401) {
    return new HubError(
      'hub-refused',
      token === undefined
        ? `${host} has no model ${quote(model)}, or it is private; check the name, or set HF_TOKEN`
        : `${host} did not accept HF_TOKEN for ${quote(model)}; check the token and the name of the model`,
    );
  }
  if (status === 403) {
    return new HubError(
      'hub-refused',
      `${host} refuses access to ${quote(model)}; accept the terms on ${own} and set HF_TOKEN to a token of that account`,
    );
  }
  if (status === 404) {
    const what =
      code === 'RevisionNotFound'
        ? 'no such revision of'
        : code === 'EntryNotFound'
          ? 'no such file in'
          : 'no';
    return new HubError(
      'hub-not-found',
      `${host} has ${what} model ${quote(model)}; check the name on ${own}`,
    );
  }
  if (status === 429) {
    const seconds = Number(headers.get('retry-after'));
    const wait = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
    return new HubError(
      'hub-busy',
      `${host} limits the rate of requests; try again ${wait === null ? 'later' : `in ${wait} seconds`}` +
        (token === undefined ? ', or set HF_TOKEN for a higher limit' : ''),
      { retryable: true, facts: { ...(wait !== null && { retryAfterSeconds: wait }) } },
    );
  }
  if (status >= 500)
    return new HubError('hub-busy', `${host} answers with status ${status}; try again later`, {
      retryable: true,
    });
  return new HubError(
    'hub-broken',
    `${host} answers with status ${status} for ${quote(model)}; expected 200`,
  );
}
