/** What the routes of every protocol share: the producer behind them, limits and other dependencies. */

import type { Health, Scale } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { InteractiveLane, OfferedModel, Overview } from '@embedmill/core/redis';
import type { Runs } from '@embedmill/core/runs';
import type { Logger } from 'pino';
import type { Access } from '../access/index.ts';
import type { Analyses } from '../analysis/analyses.ts';
import type { FiringAlerts } from '../health/firing-alerts.ts';
import type { AnsweredRequest } from '../metrics/http-metrics.ts';
import type { RunColumns } from '../native/run-columns.ts';

/** The part of the producer that is independent of any protocol. */
export interface CoreService {
  /** @throws {UnavailableError} `redis-unavailable` until this producer holds the lease of the data folder */
  runs(): Runs;
  /**
   * Rejects work for a model that no connected worker has or may load, and has workers load the latter.
   * @throws {RequestError} `unknown-model`
   */
  assertOffered(model: string): Promise<void>;
  /** The models that runs may use; empty without connected workers or without Redis. */
  offeredModels(): Promise<OfferedModel[]>;
  /** The interactive lane: answers come from the first free worker. */
  lane(): InteractiveLane;
  /** The columns of completed runs. */
  columns(): RunColumns;
  /** The analyses of completed runs. */
  analyses(): Analyses;
  /** What is wrong now, and whether new rows are refused; also works while Redis is unavailable. */
  health(): Promise<Health>;
  /** The alerts that Alertmanager has sent. */
  alerts(): FiringAlerts;
  /** The Prometheus page. */
  metrics(): Promise<{ contentType: string; body: string }>;
  /** Counts a request; called once its response is sent or its client has disconnected. */
  countRequest(request: AnsweredRequest): void;
  /** Backlog, throughput and the number of workers they require. @throws a Redis fault */
  scale(): Promise<Scale>;
  /** The state of runs, queues, workers and Redis; also works while Redis is unavailable. */
  overview(): Promise<Overview>;
}

/** Times and sizes that are not settings; tests shorten them. */
export interface ApiLimits {
  /**
   * A body that makes almost no progress for this long, while the producer waits for it, is rejected with
   * 408.
   */
  bodyStallMs: number;
  /**
   * Maximum wait of a small body for credit. A body of known length, at most `smallBodyBytes`, is rejected
   * with 429 after this time, because its sender can repeat it. All other bodies are streams, which are
   * slowed down and never rejected.
   */
  creditPatienceMs: number;
  smallBodyBytes: number;
  /**
   * After an early response, the rest of the body is read and discarded for this long, so that the client
   * sees the response.
   */
  lingerMs: number;
  /** A response of which its client reads nothing for this long is ended. */
  readStallMs: number;
  /** Minimum time between two progress events for one client. */
  progressIntervalMs: number;
  /** Time between two overview events for one client. */
  overviewIntervalMs: number;
  /** Silence after which event streams send a comment, so that no proxy closes the connection. */
  eventKeepAliveMs: number;
  /** Maximum body size of an interactive request. */
  maxTextsBytes: number;
  /** Maximum size of other JSON bodies. Rows are limited by `EMBEDMILL_MAX_BODY_MB`. */
  maxJsonBytes: number;
}

const SECOND_MS = 1000;

/** The limits outside of tests. */
export const DEFAULT_API_LIMITS: ApiLimits = {
  bodyStallMs: 120 * SECOND_MS,
  creditPatienceMs: 4 * SECOND_MS,
  smallBodyBytes: 1024 * 1024,
  lingerMs: 5 * SECOND_MS,
  readStallMs: 60 * SECOND_MS,
  progressIntervalMs: SECOND_MS / 2,
  overviewIntervalMs: SECOND_MS,
  eventKeepAliveMs: 15 * SECOND_MS,
  maxTextsBytes: 16 * 1024 * 1024,
  maxJsonBytes: 64 * 1024,
};

/** Dependencies of the routes. A protocol that needs more of the producer extends `service`. */
export interface RouteDeps {
  service: CoreService;
  config: Config;
  limits: ApiLimits;
  log: Logger;
  /** Version of this software. */
  version: string;
  /** API keys and rate limit. Default: none. */
  access?: Access;
}
