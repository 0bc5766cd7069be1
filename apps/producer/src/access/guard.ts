/** Authenticates and authorizes requests; the rate limit between the two steps counts rejected ones. */

import { RequestError } from '@embedmill/contract';
import { type ApiKey, type Config, ROLES, type Role } from '@embedmill/core/process';
import type { Request, RequestHandler, Response } from 'express';
import type { KeyRing } from './key-ring.ts';
import { type AccessRule, needOf, RULES } from './rules.ts';

/** Finds the API key of a request; {@link callerOf} returns it afterwards. */
export function authenticate(keys: KeyRing): RequestHandler {
  return (req, res, next) => {
    const secret = secretOf(req);
    res.locals.caller = secret === undefined ? undefined : keys.find(secret);
    next();
  };
}

/** The API key of a request; `undefined` without a valid one, and if authentication is disabled. */
export function callerOf(res: Response): ApiKey | undefined {
  return res.locals.caller;
}

/**
 * Rejects requests without a valid key with `unauthorized`, and those whose role does not suffice with
 * `forbidden`. Disconnects requests whose key is removed, or loses the role, while they are in progress.
 */
export function authorize(keys: KeyRing, { metricsNeed }: Pick<Config, 'metricsNeed'>): RequestHandler {
  const rules: readonly AccessRule[] = [['GET', '/metrics', metricsNeed], ...RULES];
  return (req, res, next) => {
    const need = needOf(req.method, req.path, rules);
    if (need === 'open') return next();
    const caller = callerOf(res);
    if (caller === undefined) {
      // Basic makes a browser prompt for a name and password; API clients should use Bearer.
      const scheme = /^\/admin(\/|$)/i.test(req.path) ? 'Basic' : 'Bearer';
      res.setHeader('WWW-Authenticate', `${scheme} realm="embedmill"`);
      throw new RequestError(
        'unauthorized',
        secretOf(req) === undefined
          ? 'this server requires an API key; send it as "Authorization: Bearer <key>"'
          : 'unknown API key',
      );
    }
    requireRole(res, need);
    if (isCrossSite(req)) {
      throw new RequestError('forbidden', 'cross-site requests with Basic authentication are not allowed');
    }
    // Event streams, downloads and uploads may take hours.
    const stop = keys.onChange(() => {
      if (!keys.isValid({ ...caller, role: need })) res.destroy();
    });
    res.once('close', stop);
    next();
  };
}

/**
 * For routes whose need depends on the request; without API keys, everybody may do everything.
 * @throws {RequestError} `forbidden`
 */
export function requireRole(res: Response, need: Role): void {
  const caller = callerOf(res);
  if (caller === undefined || ROLES.indexOf(caller.role) >= ROLES.indexOf(need)) return;
  throw new RequestError(
    'forbidden',
    `this requires an API key with the role ${need}; the key ${caller.name} has ${caller.role}`,
    { facts: { need, role: caller.role } },
  );
}

/** The token of `Bearer`, the password of `Basic` (browsers, Prometheus), or `X-Api-Key`. */
function secretOf(req: Request): string | undefined {
  const [scheme = '', given] = (req.get('authorization') ?? '').split(' ', 2);
  if (given === undefined || given === '') return req.get('x-api-key');
  if (/^bearer$/i.test(scheme)) return given;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(given, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/**
 * Browsers add a Basic password even to requests from pages of other sites, but declare those (Fetch
 * Metadata, W3C).
 */
function isCrossSite(req: Request): boolean {
  const site = req.get('sec-fetch-site') ?? 'none';
  const isBasic = /^basic /i.test(req.get('authorization') ?? '');
  return (
    isBasic && req.method !== 'GET' && req.method !== 'HEAD' && site !== 'none' && site !== 'same-origin'
  );
}
