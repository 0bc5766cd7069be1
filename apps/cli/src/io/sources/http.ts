/** Resources on the web (`https://…`, `http://…`) as sources. */

import { asError, quote } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import type { Dispatcher } from 'undici';
import { UsageError } from '../../shell/exit-codes.ts';
import {
  type RemoteAnswer,
  type RemoteRange,
  type RemoteResource,
  type RemoteVersion,
  remoteSource,
  SourceUnavailable,
  sourceChanged,
  sourceRefused,
} from './remote.ts';
import type { SourceDeps, SourceList } from './types.ts';

/** Maximum redirects per request; browsers follow 20 (Fetch Standard). */
const MAX_REDIRECTS = 10;

/** Longest wait for the head of a response. */
const HEADERS_TIMEOUT_MS = 60_000;

/** Temporary statuses besides those of servers. */
const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** Statuses of servers that repeating does not change. */
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([501, 505]);

/** Errors of a connection that repeating does not change: unknown names and certificates. */
const PERMANENT_CODES = /^(ENOTFOUND|ERR_TLS_|ERR_INVALID_URL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** Whether an input is meant as a resource on the web. */
export function isWebUrl(given: string): boolean {
  return /^https?:\/\//i.test(given);
}

/** The source of a URL; new each time, so that an input that changed can be read from the start. */
export function resourceAt(given: string): SourceList {
  const resource = httpResource(given);
  return { kind: 'list', name: resource.name, expand: async () => [remoteSource(resource)] };
}

/**
 * A resource by its URL. A user and password in it are sent to its own origin only, and are in no message;
 * neither is the query, which may hold a signature.
 * @throws {UsageError} if it is not a URL
 */
export function httpResource(given: string): RemoteResource {
  if (!URL.canParse(given)) {
    const shown = given.replace(/\?.*$/s, '').replace(/\/\/[^/@]*@/, '//');
    throw new UsageError(`${quote(shown, 200)} is not a URL; expected https://host/path`);
  }
  const url = new URL(given);
  const name = `${url.origin}${url.pathname}`;
  const authorization = authorizationOf(url);
  const agents: Agents = {};
  return {
    name,
    fileName: nameOf(url),
    async get(range, version, { environment, signal }: SourceDeps) {
      const headers = headersFor(range, version);
      const agentFor = (at: URL) => agentOf(agents, at, environment);
      const response = await follow(url, { headers, authorization, agentFor, signal, name });
      return answerOf(response, { name, range, version });
    },
  };
}

/** The last part of the path, which shows the format. */
function nameOf({ pathname, hostname }: URL): string {
  return decoded(pathname.split('/').findLast((part) => part !== '') ?? hostname);
}

function authorizationOf(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = '';
  url.password = '';
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** A part of a URL without percent encoding, if that is valid. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Connections to this machine, and those to others. */
interface Agents {
  direct?: Dispatcher;
  remote?: Dispatcher;
}

/** Proxies are those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY; never for a server on this machine. */
async function agentOf(agents: Agents, { hostname }: URL, environment: Environment): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const options = { headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: 0 };
  if (/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    agents.direct ??= new Agent(options);
    return agents.direct;
  }
  const proxy = (name: string) => environment[name.toLowerCase()] || environment[name] || '';
  agents.remote ??= new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy('HTTP_PROXY'),
    httpsProxy: proxy('HTTPS_PROXY'),
    noProxy: proxy('NO_PROXY'),
  });
  return agents.remote;
}

/** The first request asks for a range too: its answer shows whether the server knows ranges. */
function headersFor({ start, end }: RemoteRange, version: RemoteVersion | null): Record<string, string> {
  const tag = version?.tag ?? null;
  return {
    'user-agent': 'embedmill',
    // Bytes as stored, so that positions mean the same in every answer.
    'accept-encoding': 'identity',
    range: `bytes=${start}-${end === null ? '' : end - 1}`,
    // Weak tags are not allowed here (RFC 9110, 13.1.5).
    ...(tag === null || tag.startsWith('W/') ? {} : { 'if-range': tag }),
  };
}

/** A request and what its redirects need. */
interface FollowOptions {
  headers: Record<string, string>;
  authorization: string | null;
  agentFor: (url: URL) => Promise<Dispatcher>;
  signal: AbortSignal;
  name: string;
}

async function follow(
  url: URL,
  { headers, authorization, agentFor, signal, name }: FollowOptions,
): Promise<Dispatcher.ResponseData> {
  const { request } = await import('undici');
  let at = url;
  for (let redirects = 0; ; redirects++) {
    const own = authorization !== null && at.origin === url.origin ? { authorization } : {};
    const options = { headers: { ...headers, ...own }, dispatcher: await agentFor(at), signal };
    const response = await request(at, options).catch((cause) => {
      signal.throwIfAborted();
      throw unreachable(name, at, asError(cause));
    });
    const location = response.headers.location;
    if (![301, 302, 303, 307, 308].includes(response.statusCode) || typeof location !== 'string')
      return response;
    await response.body.dump();
    if (redirects === MAX_REDIRECTS) throw sourceRefused(name, `more than ${MAX_REDIRECTS} redirects`);
    if (!URL.canParse(location, at.href)) throw sourceRefused(name, `a redirect to ${quote(location, 100)}`);
    const next = new URL(location, at);
    if (!isWebUrl(next.href)) throw sourceRefused(name, `a redirect to ${quote(next.protocol)}`);
    if (at.protocol === 'https:' && next.protocol === 'http:') {
      throw sourceRefused(name, `a redirect from https to http://${next.host}`);
    }
    at = next;
  }
}

function unreachable(name: string, { host }: URL, cause: Error & { code?: string }): Error {
  const problem = `${host}: ${cause.message || cause.code || cause.name}`;
  return PERMANENT_CODES.test(cause.code ?? '')
    ? sourceRefused(name, problem, cause)
    : new SourceUnavailable(name, problem, { cause });
}

/** The answer in a response, or the error that its status means. */
async function answerOf(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  { name, range, version }: { name: string; range: RemoteRange; version: RemoteVersion | null },
): Promise<RemoteAnswer> {
  const header = (key: string): string | null => {
    const value = headers[key];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  };
  // A body that is closed before its end reports that as an error.
  body.on('error', () => {});
  const tag = header('etag') ?? header('last-modified');
  const close = () => void body.destroy();
  if (status === 200) {
    const length = header('content-length');
    if (length === null && !/\bchunked\b/i.test(header('transfer-encoding') ?? '')) {
      close();
      throw sourceRefused(
        name,
        'the server states neither a size nor chunks, so that a cut would not be noticed; download it first',
      );
    }
    const bytes = length === null ? null : Number(length);
    return { version: { bytes, tag }, start: 0, hasRanges: false, body, close };
  }
  if (status === 206) {
    const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header('content-range') ?? '');
    if (found === null) {
      close();
      throw sourceRefused(name, `the server answers with the range ${quote(header('content-range') ?? '')}`);
    }
    const bytes = found[2] === '*' ? null : Number(found[2]);
    return { version: { bytes, tag }, start: Number(found[1]), hasRanges: true, body, close };
  }
  await body.dump().catch(() => {});
  if (status === 416 && header('content-range') === 'bytes */0' && range.start === 0) {
    return { version: { bytes: 0, tag }, start: 0, hasRanges: true, body: none(), close: () => {} };
  }
  if (version !== null && (status === 412 || status === 416 || status === 404 || status === 410)) {
    throw sourceChanged(name);
  }
  throw refusal(name, status, header('retry-after'));
}

async function* none(): AsyncGenerator<Uint8Array> {}

function refusal(name: string, status: number, retryAfter: string | null): Error {
  if (TEMPORARY_STATUSES.has(status) || (status >= 500 && !PERMANENT_STATUSES.has(status))) {
    const retryAfterMs = waitOf(retryAfter);
    return new SourceUnavailable(name, `the server answers ${status}`, { retryAfterMs });
  }
  if (status === 401 || status === 407) {
    return sourceRefused(name, `the server answers ${status}; give https://user:password@… or a signed URL`);
  }
  if (status === 403)
    return sourceRefused(name, 'the server answers 403: access denied, or a signed URL expired');
  if (status === 404 || status === 410)
    return sourceRefused(name, `the server answers ${status}: it does not exist`);
  return sourceRefused(name, `the server answers ${status}; expected 200 or 206`);
}

/** The pause in a header `Retry-After`, which is in seconds or a date. */
function waitOf(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  const seconds = Number(retryAfter);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
