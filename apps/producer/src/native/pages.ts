/** Serves the pages for people at `/`: what `apps/web` was built into. Programs that ask for no HTML there are passed on. */

import { join } from 'node:path';
import { RequestError } from '@embedmill/contract';
import { type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { addPath } from '../http/methods.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Nothing but what this producer serves, and no code in the page itself. `blob:` images are charts that people save.
 *
 * No `upgrade-insecure-requests`, which helmet sets by default: most producers have no certificate.
 */
const POLICY = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'blob:'],
    connectSrc: ["'self'"],
    workerSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** @param folder the built pages; they are looked for at each request, so they may be built later */
export function pageRoutes(folder: string): Router {
  const router = Router();
  const assets = join(folder, 'assets');
  router.get('/', passOnPrograms, POLICY, (_req, res, next) => {
    send(res, folder, 'index.html', 'no-cache').catch(next);
  });
  addPath(router, '/favicon.svg', {
    get: (_req, res) => send(res, folder, 'favicon.svg', 'public, max-age=86400'),
  });
  // A web worker is held to the policy of its own file.
  router.use('/assets', POLICY);
  addPath(router, '/assets/:name', {
    // The name holds a hash of the content.
    get: (req, res) =>
      send(res, assets, String(req.params.name), `public, max-age=${YEAR_SECONDS}, immutable`),
  });
  return router;
}

/** Clients of Ollama ask `/` whether it runs, and take anything; browsers name HTML. */
const passOnPrograms: RequestHandler = (req, res, next) => {
  res.vary('Accept');
  next((req.get('accept') ?? '').includes('text/html') ? undefined : 'route');
};

function send(res: Response, folder: string, name: string, cacheControl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    res.sendFile(
      name,
      { root: folder, cacheControl: false, headers: { 'Cache-Control': cacheControl } },
      (error) => {
        // Without `headersSent` nothing went out: the file is not there, or its name is none.
        if (error === undefined || res.headersSent) return resolve();
        res.removeHeader('Cache-Control');
        reject(
          new RequestError('not-found', `there is no page ${JSON.stringify(name.slice(0, 100))}`, {
            cause: error,
          }),
        );
      },
    );
  });
}
