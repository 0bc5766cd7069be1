/** What the API needs from the process around it; `producer.ts` hands it over. */

import type { Scale } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { InteractiveLane, Overview, OwnQueues } from '@embedmill/core/redis';
import type { Runs } from '@embedmill/core/runs';
import type { Tracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import type { Access } from '../access/index.ts';
import type { AnsweredRequest } from '../metrics/http-metrics.ts';
import type { Batches } from '../openai/batches/batches.ts';
import type { FileStore } from '../openai/files/file-store.ts';

/** The producer behind the API. */
export interface ProducerService {
  /** @throws {UnavailableError} `redis-unavailable` until the data folder's lease is ours */
  runs(): Runs;
  /** Uploaded files and those that batches made. @throws as `runs` */
  files(): FileStore;
  /** Batches of the OpenAI API. @throws as `runs` */
  batches(): Batches;
  /** Answers from whichever worker is free first. */
  lane(): InteractiveLane;
  /** Whether a run could be accepted now, and if not, why. */
  readiness(): Promise<{ ready: boolean; reasons: string[] }>;
  /** The page for Prometheus. */
  metrics(): Promise<{ contentType: string; body: string }>;
  /** Told about every request when its answer is out. */
  countRequest(request: AnsweredRequest): void;
  /** Backlog, speed and the workers they ask for. @throws a Redis fault */
  scale(): Promise<Scale>;
  /** What goes on; also while Redis is away. */
  overview(): Promise<Overview>;
}

/** Times and sizes that are no settings; tests shorten them. */
export interface ApiLimits {
  /** A body that brings next to nothing for so long, though it is waited for, is ended with 408. */
  bodyStallMs: number;
  /**
   * A body of known length, at most `smallBodyBytes`, is refused with 429 when it would wait longer than this for the workers:
   * its sender can come again. All others are streams, which are slowed down and never refused.
   */
  creditPatienceMs: number;
  smallBodyBytes: number;
  /** After an early answer the rest of the body is read and thrown away for so long, so that the client sees the answer. */
  lingerMs: number;
  /** Least time between two progress events of one client. */
  progressIntervalMs: number;
  /** Time between two looks at everything for one client. */
  overviewIntervalMs: number;
  /** A comment is sent to clients of events when nothing else was for so long, so that no proxy closes the connection. */
  eventKeepAliveMs: number;
  /** Largest body of an interactive request. */
  maxTextsBytes: number;
  /** Largest other JSON body; rows do not count, they have `EMBEDMILL_MAX_BODY_MB`. */
  maxJsonBytes: number;
}

const SECOND = 1000;

export const defaultApiLimits: ApiLimits = {
  bodyStallMs: 120 * SECOND,
  creditPatienceMs: 4 * SECOND,
  smallBodyBytes: 1024 * 1024,
  lingerMs: 5 * SECOND,
  progressIntervalMs: SECOND / 2,
  overviewIntervalMs: SECOND,
  eventKeepAliveMs: 15 * SECOND,
  maxTextsBytes: 16 * 1024 * 1024,
  maxJsonBytes: 64 * 1024,
};

/** What the API is made of. */
export interface ApiDeps {
  service: ProducerService;
  config: Config;
  /** Default: none. */
  tracing?: Tracing;
  log: Logger;
  /** Of this software, for `/healthz`. */
  version: string;
  /** What the board at /admin/queues shows; without them there is none. */
  queues?: OwnQueues;
  /** Keys and rate limit. Default: none. */
  access?: Access;
  limits?: Partial<ApiLimits>;
}

/** What the routes are made of. */
export type RouteParts = ApiDeps & { limits: ApiLimits };
