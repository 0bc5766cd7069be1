/** The producer's HTTP API as an express app, in the order in which a request passes through it. */

import { RequestError } from '@embedmill/contract';
import { noTracing } from '@embedmill/core/telemetry';
import { pagesFolder } from '@embedmill/web';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { checkAccess } from './access/index.ts';
import { drainBodies } from './http/drain-body.ts';
import { answerErrors } from './http/error-answer.ts';
import { nameRequests } from './http/request-id.ts';
import { logRequests } from './http/request-log.ts';
import { traceRequests } from './http/trace-requests.ts';
import { type ApiDeps, defaultApiLimits, type RouteParts } from './http/types.ts';
import { boardRoutes } from './native/board.ts';
import { docsRoutes } from './native/docs.ts';
import { embedRoutes } from './native/embed.ts';
import { eventRoutes } from './native/events.ts';
import { healthRoutes } from './native/health.ts';
import { pageRoutes } from './native/pages.ts';
import { reportRoutes } from './native/report.ts';
import { resultRoutes } from './native/results.ts';
import { rowRoutes } from './native/rows.ts';
import { runRoutes } from './native/runs.ts';
import { scaleRoutes } from './native/scale.ts';
import { searchRoutes } from './native/search.ts';
import { ollamaRoutes } from './ollama/index.ts';
import { openAiRoutes } from './openai/index.ts';
import { teiRoutes } from './tei/index.ts';

/** Makes the API; the caller puts it on a server. Every request is answered, whatever it holds. */
export function createApi(given: ApiDeps): Express {
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
