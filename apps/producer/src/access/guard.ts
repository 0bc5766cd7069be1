/** Lets requests through that may pass: who asks is found out first, and refused later, so that refused ones are counted too. */

import { RequestError } from '@embedmill/contract';
import { type ApiKey, type Config, ROLES } from '@embedmill/core/process';
import type { Request, RequestHandler, Response } from 'express';
import type { KeyRing } from './key-ring.ts';
import { needOf, RULES, type Rule } from './rules.ts';

/** Finds the key of a request; {@link callerOf} has it from then on. */
export function identify(keys: KeyRing): RequestHandler {
  return (req, res, next) => {
    const secret = secretOf(req);
    res.locals.caller = secret === undefined ? undefined : keys.find(secret);
    next();
  };
}

/** The key that a request came with; undefined without one, and where no keys are asked for. */
export function callerOf(res: Response): ApiKey | undefined {
  return res.locals.caller;
}

/** Refuses a request without a key, or with one whose role is too low: `unauthorized`, `forbidden`. */
export function allow({ metricsNeed }: Pick<Config, 'metricsNeed'>): RequestHandler {
  const rules: readonly Rule[] = [['GET', '/metrics', metricsNeed], ...RULES];
  return (req, res, next) => {
    const need = needOf(req.method, req.path, rules);
    if (need === 'open') return next();
    const caller = callerOf(res);
    if (caller === undefined) {
      // A browser asks its user for name and password when it is told Basic; programs are not to.
      const scheme = /^\/admin(\/|$)/i.test(req.path) ? 'Basic' : 'Bearer';
      res.setHeader('WWW-Authenticate', `${scheme} realm="embedmill"`);
      throw new RequestError(
        'unauthorized',
        secretOf(req) === undefined
          ? 'this needs an API key; send it as "Authorization: Bearer <key>"'
          : 'the API key is not known here',
      );
    }
    if (ROLES.indexOf(caller.role) < ROLES.indexOf(need)) {
      throw new RequestError(
        'forbidden',
        `this needs a key with the role ${need}; the key ${caller.name} has ${caller.role}`,
        { facts: { need, role: caller.role } },
      );
    }
    if (isForged(req)) {
      throw new RequestError(
        'forbidden',
        'a page of another site must not do this with the password of its visitor',
      );
    }
    next();
  };
}

/** `Bearer` as most clients send it, the password of `Basic` as browsers and Prometheus may, or `X-Api-Key`. */
function secretOf(req: Request): string | undefined {
  const [scheme = '', given] = (req.get('authorization') ?? '').split(' ', 2);
  if (given === undefined || given === '') return req.get('x-api-key');
  if (/^bearer$/i.test(scheme)) return given;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(given, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** A browser adds a Basic password by itself, also to what another site's page sends; it says so (Fetch Metadata, W3C). */
function isForged(req: Request): boolean {
  const site = req.get('sec-fetch-site') ?? 'none';
  const isBasic = /^basic /i.test(req.get('authorization') ?? '');
  return (
    isBasic && req.method !== 'GET' && req.method !== 'HEAD' && site !== 'none' && site !== 'same-origin'
  );
}
