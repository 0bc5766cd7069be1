/**
 * Keeps web pages of other sites from using the producer through the browser of a person who can reach it.
 * Applies to every request, with and without API keys.
 *
 * - DNS rebinding: a page of evil.example whose name now resolves to 127.0.0.1 sends `Host: evil.example`.
 *   Only names that cannot belong to a stranger are accepted: IP addresses, localhost, names without a dot
 *   (Docker and Kubernetes services), names under top-level domains for private use, the name of this
 *   machine, and `EMBEDMILL_ALLOWED_HOSTS`. A request without a Host header does not come from a browser.
 * - Cross-site requests: a form or `fetch` of another page sends its own `Origin` or
 *   `Sec-Fetch-Site: cross-site` (Fetch Metadata, W3C). They are accepted only from the same origin, from
 *   `EMBEDMILL_CORS_ORIGINS`, from the pages of `EMBEDMILL_ALLOWED_HOSTS`, or as a navigation to a page.
 */

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { quote, RequestError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { Request, RequestHandler } from 'express';
import { isListedOrigin } from './cors.ts';

/**
 * Top-level domains that no stranger can register: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and those
 * that home routers and Kubernetes use, which do not exist in the public DNS.
 */
const PRIVATE_DOMAINS = [
  'localhost',
  'test',
  'local',
  'internal',
  'home.arpa',
  'lan',
  'svc',
  'cluster.local',
];

/** Refuses requests of foreign pages: `host-not-allowed`, `origin-not-allowed`. */
export function guardBrowsers({
  allowedHosts = [],
  corsOrigins = [],
}: Pick<Config, 'allowedHosts' | 'corsOrigins'>): RequestHandler {
  const ownNames = [hostname().toLowerCase(), ...allowedHosts];
  const isAllowed = (name: string): boolean =>
    allowedHosts.includes('*') || ownNames.includes(name) || isPrivateName(name);
  return (req, _res, next) => {
    for (const authority of authoritiesOf(req)) {
      const name = hostnameOf(authority);
      if (isAllowed(name)) continue;
      throw new RequestError(
        'host-not-allowed',
        `this producer does not answer to the host ${quote(name === '' ? authority : name)}; ` +
          'add the host name to EMBEDMILL_ALLOWED_HOSTS',
      );
    }
    const origin = req.get('origin');
    const isListed =
      origin !== undefined &&
      (isListedOrigin(origin, corsOrigins) ||
        // Behind a proxy that replaces Host, the pages of the listed host are still the producer's own.
        allowedHosts.includes(hostnameOf(authorityOfOrigin(origin))));
    if (!isListed && isForeign(req, origin)) {
      throw new RequestError(
        'origin-not-allowed',
        `a page of ${origin === undefined ? 'another site' : quote(origin)} must not use this producer; ` +
          'add its origin to EMBEDMILL_CORS_ORIGINS',
      );
    }
    next();
  };
}

/** What a request names as its host: the Host header, and the request target if it is a URL (RFC 9112, 3.2.2). */
function authoritiesOf(req: Request): string[] {
  const host = req.headers.host;
  const isAbsolute = !req.originalUrl.startsWith('/') && req.originalUrl !== '*';
  return [
    ...(host === undefined ? [] : [host]),
    ...(isAbsolute ? [authorityOfOrigin(req.originalUrl) || req.originalUrl] : []),
  ];
}

/** The name in a Host header (RFC 9110, 7.2) in lower case, without port, brackets and final dot; empty if malformed. */
function hostnameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d*)?$/i.exec(host) ?? [];
  return (bracketed ?? plain ?? '').toLowerCase().replace(/\.$/, '');
}

function isPrivateName(name: string): boolean {
  if (name === '') return false;
  if (isIP(name) !== 0 || !name.includes('.')) return true;
  return PRIVATE_DOMAINS.some((domain) => name.endsWith(`.${domain}`));
}

function isForeign(req: Request, origin: string | undefined): boolean {
  // Only the browser sets this header. Behind a proxy that replaces Host, it is what distinguishes our own
  // pages from others.
  const site = req.get('sec-fetch-site');
  if (site === 'same-origin' || site === 'none') return false;
  if (origin !== undefined) return !isSameHost(origin, req.headers.host ?? '');
  // A person followed a link to one of our pages.
  if (req.get('sec-fetch-mode') === 'navigate' && req.method === 'GET') return false;
  return site !== undefined;
}

/** Compares host and port; a proxy may have ended TLS, so the scheme of the origin decides the default port. */
function isSameHost(origin: string, host: string): boolean {
  const scheme = /^https?:\/\//i.exec(origin)?.[0];
  if (scheme === undefined || !URL.canParse(scheme + host)) return false;
  return authorityOfOrigin(origin) === new URL(scheme + host).host;
}

/** Host and port of an origin as a Host header has them; empty for `null` and for other schemes. */
function authorityOfOrigin(origin: string): string {
  return /^https?:\/\//i.test(origin) && URL.canParse(origin) ? new URL(origin).host : '';
}
