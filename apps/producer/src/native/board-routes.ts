/** Shows the queue of batches with bull-board at /admin/queues: read-only for the role `read`, writable for `admin`. */

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { RequestError } from '@embedmill/contract';
import type { BullBatchQueue } from '@embedmill/core/redis';
import { type Express, type RequestHandler, Router } from 'express';
import { callerOf } from '../access/index.ts';
import { thirdPartyPagePolicy } from '../http/page-policy.ts';

const PATH = '/admin/queues';

/** Pages and scripts of the board. */
const UI_FOLDER = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));

/** BullMQ's own object. */
type OwnQueue = BullBatchQueue['own'];

/**
 * Two boards for the same queue; the role of each request selects one. Without API keys, the board is
 * read-only. The library is loaded by the first request: few producers show the board, and it delays their start.
 */
export function boardRoutes(queue: OwnQueue): Router {
  let boards: Promise<[readOnly: Express, writable: Express]> | undefined;
  const router = Router();
  router.use(PATH, thirdPartyPagePolicy, setRouteOfBoard, async (req, res, next) => {
    const isAdmin = callerOf(res)?.role === 'admin';
    // The guard enforces this too, but is absent without API keys.
    if (!isAdmin && req.method !== 'GET' && req.method !== 'HEAD')
      throw new RequestError('forbidden', 'changing the queues requires an API key with the role admin');
    boards ??= Promise.all([makeBoard(queue, true), makeBoard(queue, false)]);
    const [readOnlyBoard, writableBoard] = await boards;
    (isAdmin ? writableBoard : readOnlyBoard)(req, res, next);
  });
  return router;
}

async function makeBoard(queue: OwnQueue, readOnlyMode: boolean): Promise<Express> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const adapter = new ExpressAdapter().setBasePath(PATH);
  const bulk = new BullMQAdapter(queue, { readOnlyMode, description: 'Batches of runs' });
  createBullBoard({
    queues: [bulk],
    serverAdapter: adapter,
    options: { uiBasePath: UI_FOLDER, uiConfig: { boardTitle: 'Embedmill', hideRedisDetails: true } },
  });
  // The message of a Redis error contains its address.
  adapter.setErrorHandler(() => ({ status: 500, body: { message: 'the queues are unreachable' } }));
  const board: Express = adapter.getRouter();
  board.disable('x-powered-by');
  return board;
}

/** Names the route for the log and the metrics, which would otherwise see the internal paths of the board. */
const setRouteOfBoard: RequestHandler = (req, res, next) => {
  res.prependOnceListener('close', () => {
    Object.assign(req, { route: { path: `${PATH}/*` } });
  });
  next();
};
