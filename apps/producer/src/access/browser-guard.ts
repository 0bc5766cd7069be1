/**
 * Keeps web pages of other sites from using the producer through the browser of a person who can reach it. Applies to every
 * request, with and without API keys.
 *
 * - DNS rebinding: a page of evil.example whose name now resolves to 127.0.0.1 sends `Host: evil.example`. Only names that cannot
 *   belong to a stranger are accepted: IP addresses, localhost, names without a dot (Docker and Kubernetes services), names under
 *   top-level domains reserved for private use, the name of this machine, and `EMBEDMILL_ALLOWED_HOSTS`.
 * - Cross-site requests: a form or `fetch` of another page sends its own `Origin` or `Sec-Fetch-Site: cross-site` (Fetch Metadata,
 *   W3C). They are accepted only from the same origin and from `EMBEDMILL_CORS_ORIGINS`, or as a navigation to a page.
 */

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { quote, RequestError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { RequestHandler } from 'express';

/** Top-level domains that no stranger can register: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal, and Kubernetes' default. */
const PRIVATE_DOMAINS = ['localhost', 'test', 'local', 'internal', 'home.arpa', 'lan', 'cluster.local'];

/** Refuses requests of foreign pages: `host-not-allowed`, `origin-not-allowed`. */
export function guardBrowsers({
  allowedHosts = [],
  corsOrigins = [],
}: Pick<Config, 'allowedHosts' | 'corsOrigins'>): RequestHandler {
  const machine = hostname().toLowerCase();
  return (req, _res, next) => {
    const host = req.get('host') ?? '';
    const name = hostnameOf(host);
    if (!allowedHosts.includes('*') && ![machine, ...allowedHosts].includes(name) && !isPrivateName(name)) {
      throw new RequestError(
        'host-not-allowed',
        `the Host header names ${quote(name)}, which this producer does not answer to; add it to EMBEDMILL_ALLOWED_HOSTS`,
      );
    }
    const origin = req.get('origin');
    const isListed = origin !== undefined && (corsOrigins.includes('*') || corsOrigins.includes(origin));
    if (
      !isListed &&
      isForeign(origin, host, req.get('sec-fetch-site'), req.get('sec-fetch-mode'), req.method)
    ) {
      throw new RequestError(
        'origin-not-allowed',
        `a page of ${origin === undefined ? 'another site' : quote(origin)} must not use this producer; ` +
          'add its origin to EMBEDMILL_CORS_ORIGINS',
      );
    }
    next();
  };
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

function isForeign(
  origin: string | undefined,
  host: string,
  site: string | undefined,
  mode: string | undefined,
  method: string,
): boolean {
  // Only the browser sets this header. Behind a proxy that replaces Host, it is what tells our own pages from others.
  if (site === 'same-origin' || site === 'none') return false;
  if (origin !== undefined) return originHost(origin) !== host.toLowerCase();
  // A person followed a link to one of our pages.
  if (mode === 'navigate' && method === 'GET') return false;
  return site === 'cross-site' || site === 'same-site';
}

/** Host and port of an origin as a Host header has them; empty for `null` and for other schemes. */
function originHost(origin: string): string {
  return /^https?:\/\//i.test(origin) && URL.canParse(origin) ? new URL(origin).host : '';
}
