/** Shows the queues with bull-board at /admin/queues: to look at for everybody who may, to change for admins only. */

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { RequestError } from '@embedmill/contract';
import type { InteractiveJob, OwnQueues } from '@embedmill/core/redis';
import { type Express, type RequestHandler, Router } from 'express';
import { callerOf } from '../access/index.ts';
import { foreignPagePolicy } from '../http/page-policy.ts';

const PATH = '/admin/queues';

/** Two boards over the same queues; the role of each request decides. Without keys there are no admins. */
export function boardRoutes(queues: OwnQueues): Router {
  const [toLookAt, toChange] = [makeBoard(queues, true), makeBoard(queues, false)];
  const router = Router();
  router.use(PATH, foreignPagePolicy, nameRoute, (req, res, next) => {
    const isAdmin = callerOf(res)?.role === 'admin';
    // The guard says so too, but there is none without keys.
    if (!isAdmin && req.method !== 'GET' && req.method !== 'HEAD')
      throw new RequestError('forbidden', 'the queues are changed with a key that has the role admin');
    (isAdmin ? toChange : toLookAt)(req, res, next);
  });
  return router;
}

function makeBoard(queues: OwnQueues, readOnlyMode: boolean): Express {
  const adapter = new ExpressAdapter().setBasePath(PATH);
  const bulk = new BullMQAdapter(queues.bulk, { readOnlyMode, description: 'Batches of runs.' });
  const interactive = new BullMQAdapter(queues.interactive, {
    readOnlyMode,
    description: 'Single questions.',
  });
  // Texts of callers are shown nowhere.
  interactive.setFormatter('data', (job: InteractiveJob) => ({
    ...job,
    parts: job.parts.map((part) => ({ ...part, texts: part.texts.length })),
  }));
  createBullBoard({
    queues: [bulk, interactive],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Embedmill', hideRedisDetails: true } },
  });
  // The message of a Redis fault has its address.
  adapter.setErrorHandler(() => ({ status: 500, body: { message: 'the queues cannot be reached now' } }));
  const board: Express = adapter.getRouter();
  board.disable('x-powered-by');
  return board;
}

/** For the log and the metrics, which would take the inner paths of the board for routes of the API. */
const nameRoute: RequestHandler = (req, res, next) => {
  res.prependOnceListener('close', () => {
    Object.assign(req, { route: { path: `${PATH}/*` } });
  });
  next();
};
