/** The producer's HTTP API as an Express app, in the order in which a request passes through it. */

import { RequestError } from '@embedmill/contract';
import type { BullBatchQueue } from '@embedmill/core/redis';
import { noTracing, type Tracing } from '@embedmill/core/telemetry';
import { pagesFolder } from '@embedmill/web';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { checkAccess, guardBrowsers } from './access/index.ts';
import { endStalledReaders } from './http/deadline.ts';
import { drainBodies } from './http/drain-body.ts';
import { handleErrors } from './http/errors.ts';
import { MemoryBudget, memoryBudgetBytes, shareMemory } from './http/memory-budget.ts';
import { assignRequestId } from './http/request-id.ts';
import { logRequests } from './http/request-log.ts';
import { traceRequests } from './http/trace-requests.ts';
import { type ApiLimits, type CoreService, DEFAULT_API_LIMITS, type RouteDeps } from './http/types.ts';
import { alertRoutes } from './native/alert-routes.ts';
import { analysisRoutes } from './native/analysis-routes.ts';
import { archiveRoutes } from './native/archive-routes.ts';
import { boardRoutes } from './native/board-routes.ts';
import { columnRoutes } from './native/column-routes.ts';
import { reportDeletedRuns } from './native/deleted-runs.ts';
import { embedRoutes } from './native/embed-routes.ts';
import { eventRoutes } from './native/event-routes.ts';
import { healthRoutes } from './native/health-routes.ts';
import { hubRoutes } from './native/hub-routes.ts';
import { inspectRoutes } from './native/inspect-routes.ts';
import { modelRoutes } from './native/model-routes.ts';
import { pageRoutes } from './native/page-routes.ts';
import { partRoutes } from './native/part-routes.ts';
import { reportRoutes } from './native/report-routes.ts';
import { resultRoutes } from './native/result-routes.ts';
import { rowRoutes } from './native/row-routes.ts';
import { runRoutes } from './native/run-routes.ts';
import { searchRoutes } from './native/search-routes.ts';
import { OLLAMA_ERRORS } from './ollama/errors.ts';
import { ollamaRoutes } from './ollama/index.ts';
import { OPENAI_ERRORS } from './openai/errors.ts';
import { openAiRoutes } from './openai/index.ts';
import type { OpenAiService } from './openai/types.ts';
import { docsRoutes } from './openapi/docs-routes.ts';
import { TEI_ERRORS } from './tei/errors.ts';
import { teiRoutes } from './tei/index.ts';

/** The producer behind the API, with what each protocol needs. */
export interface ProducerService extends CoreService, OpenAiService {}

/** Dependencies of the API. */
export interface ApiDeps extends Omit<RouteDeps, 'limits'> {
  service: ProducerService;
  /** Default: no tracing. */
  tracing?: Tracing;
  /** Queue of the board at /admin/queues. Default: no board. */
  queue?: BullBatchQueue['own'];
  /** Default: a budget of the configured size. */
  memory?: MemoryBudget;
  limits?: Partial<ApiLimits>;
}

/**
 * Listeners that one response may have: middleware, holds and streams wait for its end. Node warns above 10, which is
 * meant for leaks.
 */
const MAX_RESPONSE_LISTENERS = 30;

/** Creates the API; the caller mounts it on a server. Every request is answered, whatever it contains. */
export function createApi({ tracing = noTracing, queue, memory, ...given }: ApiDeps): Express {
  const deps = { ...given, limits: { ...DEFAULT_API_LIMITS, ...given.limits } };
  const app = express();
  // Responses change from call to call; results have an ETag of their own.
  app.set('etag', false);
  app.use((_req, res, next) => {
    res.setMaxListeners(MAX_RESPONSE_LISTENERS);
    next();
  });
  app.use(
    assignRequestId,
    logRequests(deps),
    traceRequests(tracing),
    drainBodies(deps.limits.lingerMs),
    shareMemory(memory ?? new MemoryBudget(memoryBudgetBytes(deps.config))),
    endStalledReaders(deps.limits.readStallMs),
    helmet(),
  );
  app.set('trust proxy', deps.config.proxies);
  app.use(guardBrowsers(deps.config));
  // Before the API keys are checked: the pages are not secret, and users enter their key there.
  app.use(pageRoutes(pagesFolder));
  for (const step of checkAccess(deps.access ?? {}, deps.config)) app.use(step);
  app.use(healthRoutes(deps));
  app.use(alertRoutes(deps));
  app.use(embedRoutes(deps));
  // Before the routes of one run: `import` is not an id.
  app.use(archiveRoutes(deps));
  app.use(runRoutes(deps));
  app.use(rowRoutes(deps));
  app.use(modelRoutes(deps));
  app.use(partRoutes(deps));
  app.use(inspectRoutes(deps));
  app.use(resultRoutes(deps));
  app.use(reportRoutes(deps));
  app.use(columnRoutes(deps));
  app.use(analysisRoutes(deps));
  app.use(searchRoutes(deps));
  app.use(eventRoutes(deps));
  app.use(hubRoutes(deps));
  app.use(docsRoutes(deps));
  if (queue !== undefined) app.use(boardRoutes(queue));
  app.use(openAiRoutes(deps));
  app.use(ollamaRoutes(deps));
  app.use(teiRoutes(deps));
  app.use((req) => {
    throw new RequestError(
      'not-found',
      `nothing is served at ${req.method} ${JSON.stringify(req.path.slice(0, 100))}`,
    );
  });
  app.use(reportDeletedRuns(deps));
  app.use(handleErrors({ dialects: [OPENAI_ERRORS, OLLAMA_ERRORS, TEI_ERRORS], log: deps.log }));
  return app;
}
