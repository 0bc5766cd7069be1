/** Parses REDIS_URL: one server, a unix socket, Sentinels or a cluster, each with or without TLS. */

/** A TCP endpoint. */
export interface RedisEndpoint {
  host: string;
  port: number;
}

/** What a Redis URL says. */
export interface RedisAddress {
  kind: 'server' | 'socket' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or some nodes of the cluster; empty for a socket. */
  endpoints: readonly RedisEndpoint[];
  /** Path of the socket. */
  path?: string | undefined;
  /** Name of the primary, as the Sentinels know it. */
  primary?: string | undefined;
  db: number;
  /** IP version: 4, 6, or 0 for both. */
  family: number;
  username?: string | undefined;
  password?: string | undefined;
  /** Paths of PEM files; absent without TLS. */
  tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  /** Prefix of the keys, which selects the node of a cluster; see {@link withPrefix}. */
  prefix?: string | undefined;
}

/** An address, or what is wrong with the URL; it does not quote the URL, which may contain a password. */
export type ReadRedisUrl = { ok: true; address: RedisAddress } | { ok: false; problem: string };

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

const KINDS: Readonly<Record<string, RedisAddress['kind']>> = {
  redis: 'server',
  rediss: 'server',
  unix: 'socket',
  'redis+unix': 'socket',
  'redis+sentinel': 'sentinel',
  'rediss+sentinel': 'sentinel',
  'redis+cluster': 'cluster',
  'rediss+cluster': 'cluster',
};

/** Scheme, credentials, hosts, path, query, fragment. `URL` of Node does not accept several hosts. */
const URL_PARTS = /^([a-z+]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$/;

const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;

/** Options of the query part. */
const OPTIONS = ['db', 'family', 'ca', 'cert', 'key'];

/** Parses a URL in one of the forms of docs/deploy.md. */
export function readRedisUrl(url: string): ReadRedisUrl {
  try {
    return { ok: true, address: addressOf(url) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The URL of a cluster with the prefix of the keys as its fragment, which {@link readRedisUrl} reads; other URLs as they are. */
export function withPrefix(url: string, prefix: string): string {
  return /^rediss?\+cluster:/.test(url) ? `${url.replace(/#.*$/, '')}#${prefix}` : url;
}

/** The URL without credentials, options and prefix, for messages. */
export function shownRedisUrl(url: string): string {
  const parts = URL_PARTS.exec(url);
  return parts === null ? 'unknown' : `${parts[1]}://${parts[3]}${parts[4] ?? ''}`;
}

function addressOf(url: string): RedisAddress {
  const parts = URL_PARTS.exec(url);
  if (parts === null) throw new Error('it does not have the form SCHEME://USER:PASSWORD@HOST:PORT/DB');
  const [, scheme = '', credentials, hosts = '', path = '', query, prefix] = parts;
  const kind = KINDS[scheme];
  if (kind === undefined) throw new Error(`its scheme is none of ${Object.keys(KINDS).join(', ')}`);
  const options = optionsOf(query);
  const endpoints =
    kind === 'socket'
      ? noHosts(hosts)
      : hosts
          .split(',')
          .map((host) => endpointOf(host, kind === 'sentinel' ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT));
  if (kind === 'server' && endpoints.length > 1)
    throw new Error('several hosts need redis+sentinel:// or redis+cluster://');
  const segments = kind === 'socket' ? [] : path.split('/').slice(1).map(decodeURIComponent);
  const primary = kind === 'sentinel' ? segments.shift() : undefined;
  if (kind === 'sentinel' && !primary) throw new Error('the name of the primary is missing after the hosts');
  if (kind === 'socket' && path === '') throw new Error('the path of the socket is missing');
  if (segments.length > 1) throw new Error('its path has too many parts');
  const db = numberOf('db', segments[0] || options.get('db') || '0', 0, 2 ** 31 - 1);
  if (kind === 'cluster' && db !== 0) throw new Error('a cluster has only database 0');
  const hasTls = scheme.startsWith('rediss');
  const [ca, cert, key] = [options.get('ca'), options.get('cert'), options.get('key')];
  if (!hasTls && (ca ?? cert ?? key) !== undefined)
    throw new Error('ca, cert and key need a URL that starts with rediss');
  if ((cert === undefined) !== (key === undefined)) throw new Error('cert and key need each other');
  return {
    kind,
    endpoints,
    path: kind === 'socket' ? decodeURIComponent(path) : undefined,
    primary,
    db,
    family: familyOf(options.get('family') ?? '4'),
    ...credentialsOf(credentials),
    tls: hasTls ? { ca, cert, key } : undefined,
    prefix,
  };
}

function optionsOf(query = ''): Map<string, string> {
  const options = new Map(new URLSearchParams(query));
  for (const name of options.keys()) {
    if (!OPTIONS.includes(name)) throw new Error(`it has an option other than ${OPTIONS.join(', ')}`);
  }
  return options;
}

function familyOf(text: string): number {
  if (!['0', '4', '6'].includes(text)) throw new Error('its family is not 0, 4 or 6');
  return Number(text);
}

function noHosts(hosts: string): [] {
  if (hosts !== '') throw new Error('a socket has a path and no host, as in unix:///run/redis.sock');
  return [];
}

function endpointOf(text: string, defaultPort: number): RedisEndpoint {
  const [, ipv6, name, port] = HOST.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined) throw new Error('a host is missing or malformed');
  return { host, port: numberOf('port', port ?? String(defaultPort), 1, 65_535) };
}

function credentialsOf(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined || text === '') return {};
  const colon = text.indexOf(':');
  if (colon === -1) throw new Error('the user has no password; without a user, write :password@');
  const username = decodeURIComponent(text.slice(0, colon));
  const password = decodeURIComponent(text.slice(colon + 1));
  return { username: username === '' ? undefined : username, password };
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error(`its ${name} is not a number from ${min} to ${max}`);
  return value;
}
