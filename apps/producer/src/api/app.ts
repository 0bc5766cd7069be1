/** The producer's HTTP API as an express app, in the order in which a request passes through it. */

import { noTracing, RequestError } from '@embedmill/core';
import { pagesFolder } from '@embedmill/web';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { checkAccess } from '../access/index.ts';
import { answerErrors } from './error-answer.ts';
import { drainBodies } from './linger.ts';
import { ollamaRoutes } from './protocols/ollama/index.ts';
import { openAiRoutes } from './protocols/openai/index.ts';
import { teiRoutes } from './protocols/tei/index.ts';
import { nameRequests } from './request-id.ts';
import { logRequests } from './request-log.ts';
import { boardRoutes } from './routes/board.ts';
import { docsRoutes } from './routes/docs.ts';
import { embedRoutes } from './routes/embed.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { pageRoutes } from './routes/pages.ts';
import { reportRoutes } from './routes/report.ts';
import { resultRoutes } from './routes/results.ts';
import { rowRoutes } from './routes/rows.ts';
import { runRoutes } from './routes/runs.ts';
import { scaleRoutes } from './routes/scale.ts';
import { searchRoutes } from './routes/search.ts';
import { traceRequests } from './trace-requests.ts';
import { type ApiParts, defaultApiLimits, type RouteParts } from './types.ts';

/** Makes the API; the caller puts it on a server. Every request is answered, whatever it holds. */
export function createApi(given: ApiParts): Express {
  const parts: RouteParts = { ...given, limits: { ...defaultApiLimits, ...given.limits } };
  const app = express();
  // Answers change from call to call; results have an ETag of their own.
  app.set('etag', false);
  const { tracing = noTracing, limits } = parts;
  app.use(nameRequests, logRequests(parts), traceRequests(tracing), drainBodies(limits.lingerMs), helmet());
  app.set('trust proxy', parts.config.proxies);
  // Before the keys: the pages are no secret, and they are where a key is entered.
  app.use(pageRoutes(pagesFolder));
  for (const step of checkAccess(parts.access ?? {}, parts.config)) app.use(step);
  app.use(healthRoutes(parts));
  app.use(embedRoutes(parts));
  app.use(runRoutes(parts));
  app.use(rowRoutes(parts));
  app.use(resultRoutes(parts));
  app.use(reportRoutes(parts));
  app.use(searchRoutes(parts));
  app.use(eventRoutes(parts));
  app.use(scaleRoutes(parts));
  app.use(docsRoutes(parts));
  if (parts.queues !== undefined) app.use(boardRoutes(parts.queues));
  app.use(openAiRoutes(parts));
  app.use(ollamaRoutes(parts));
  app.use(teiRoutes(parts));
  app.use((req) => {
    throw new RequestError(
      'not-found',
      `there is nothing at ${req.method} ${JSON.stringify(req.path.slice(0, 100))}`,
    );
  });
  app.use(answerErrors(parts.log));
  return app;
}
