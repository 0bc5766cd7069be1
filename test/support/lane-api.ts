/** The producer's API with only an interactive lane: no Redis, no runs, no model. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UnavailableError } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import type { InteractiveLane } from '@embedmill/core/redis';
import { createLogger } from '@embedmill/core/telemetry';
import { type ApiLimits, createApi } from '@embedmill/producer';
import { onTestFinished } from 'vitest';
import type { TestResponse } from './api.ts';
import { hashLane } from './hash-lane.ts';
import { testHealth } from './health.ts';

/** What a test can change. */
export interface LaneApiOptions {
  /** Default: answers at once with hash vectors. */
  lane?: InteractiveLane;
  config?: Partial<Config>;
  limits?: Partial<ApiLimits>;
  /** Whether the service reports that it is ready. Default true. */
  isReady?: boolean;
}

/** A listening API. */
export interface LaneApi {
  url: string;
  /** Sends a request to a path of the API. */
  call(method: string, path: string, init?: RequestInit): Promise<TestResponse>;
}

/** Starts the API; it stops with the test. */
export async function startLaneApi({
  lane = hashLane(),
  config,
  limits,
  isReady = true,
}: LaneApiOptions = {}): Promise<LaneApi> {
  const absent = (): never => {
    throw new UnavailableError('redis-unavailable', 'there are no runs here');
  };
  const server = createServer(
    createApi({
      service: {
        runs: absent,
        files: absent,
        batches: absent,
        columns: absent,
        assertOffered: absent,
        offeredModels: absent,
        lane: () => lane,
        health: async () => testHealth(isReady ? {} : { folderWaitsFor: 'Redis' }),
        metrics: absent,
        countRequest: () => {},
        alerts: absent,
        analyses: absent,
        scale: absent,
        overview: absent,
      },
      config: { ...readConfig({}), ...config },
      log: createLogger({ logLevel: 'silent' }, 'test'),
      version: '1.2.3',
      ...(limits === undefined ? {} : { limits }),
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, call: (method, path, init = {}) => fetch(`${url}${path}`, { method, ...init }) };
}
