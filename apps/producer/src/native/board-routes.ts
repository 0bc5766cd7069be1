/** Shows the queues with bull-board at /admin/queues: read-only for the role `read`, writable for `admin`. */

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { RequestError } from '@embedmill/contract';
import type { InteractiveJob, OwnQueues } from '@embedmill/core/redis';
import { type Express, type RequestHandler, Router } from 'express';
import { callerOf } from '../access/index.ts';
import { thirdPartyPagePolicy } from '../http/page-policy.ts';

const PATH = '/admin/queues';

/**
 * Two boards for the same queues; the role of each request selects one. Without API keys, the board is
 * read-only.
 */
export function boardRoutes(queues: OwnQueues): Router {
  const [readOnlyBoard, writableBoard] = [makeBoard(queues, true), makeBoard(queues, false)];
  const router = Router();
  router.use(PATH, thirdPartyPagePolicy, setRouteOfBoard, (req, res, next) => {
    const isAdmin = callerOf(res)?.role === 'admin';
    // The guard enforces this too, but is absent without API keys.
    if (!isAdmin && req.method !== 'GET' && req.method !== 'HEAD')
      throw new RequestError('forbidden', 'changing the queues requires an API key with the role admin');
    (isAdmin ? writableBoard : readOnlyBoard)(req, res, next);
  });
  return router;
}

function makeBoard(queues: OwnQueues, readOnlyMode: boolean): Express {
  const adapter = new ExpressAdapter().setBasePath(PATH);
  const bulk = new BullMQAdapter(queues.bulk, { readOnlyMode, description: 'Batches of runs' });
  const interactive = new BullMQAdapter(queues.interactive, {
    readOnlyMode,
    description: 'Interactive calls',
  });
  // The board must not show the texts of callers.
  interactive.setFormatter('data', (job: InteractiveJob) => ({
    ...job,
    parts: job.parts.map((part) => ({ ...part, texts: part.texts.length })),
  }));
  createBullBoard({
    queues: [bulk, interactive],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Embedmill', hideRedisDetails: true } },
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
