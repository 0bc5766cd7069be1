/** Starts a producer: API keys, rate limit, the service and the HTTP server. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '@embedmill/contract';
import { type Config, Releasers } from '@embedmill/core/process';
import { assertUsableRedis } from '@embedmill/core/redis';
import { openTracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import { KeyRing, openRateLimiter } from './access/index.ts';
import { createApi } from './app.ts';
import { expressMessages } from './http/express-messages.ts';
import { startService } from './service.ts';
import { PRODUCER_VERSION } from './version.ts';

/** Idle time of a connection after which TCP probes the other side. */
const TCP_PROBE_AFTER_MS = 30_000;

/** A started producer. */
export interface RunningProducer {
  /** Base URL of the API. */
  readonly url: string;
  /** Resolves when the data folder is open, or cannot be opened; requests for runs get 503 until then. */
  readonly opening: Promise<void>;
  /** Resolves when another producer owns the data folder, or the folder cannot be used; this producer must then end. */
  readonly whenBroken: Promise<Error>;
  /** Accepts no more requests, writes what is collected and gives the data folder back. */
  stop(): Promise<void>;
}

/**
 * How long idle connections are kept: longer than load balancers keep theirs (AWS: 60 s), so that the side
 * that sends requests is the one that closes, and no request is sent into a closing connection. Node's
 * default is 5 s.
 */
const KEEP_ALIVE_MS = 75_000;

/**
 * Starts a producer. The API answers at once; until Redis answers and the data folder's lease is held,
 * requests for runs get 503.
 * @throws {ConfigError} without `REDIS_URL`, when it does not fit the server, or when the file of API keys cannot be used
 * @throws when the port is in use
 */
export async function startProducer(config: Config, { log }: { log: Logger }): Promise<RunningProducer> {
  const { redisUrl } = config;
  if (redisUrl === undefined) throw new ConfigError(['REDIS_URL: required by a producer']);
  await assertUsableRedis(redisUrl, log);
  const releasers = new Releasers();
  try {
    const tracing = await openTracing(config, { service: 'embedmill-producer', log });
    releasers.add(() => tracing.stop());
    const keys = KeyRing.open({ config, log });
    releasers.add(() => keys?.close());
    const limiter = openRateLimiter({ config, redisUrl, log });
    releasers.add(() => limiter?.close());
    const service = await startService({ config, redisUrl, tracing, log });
    releasers.add(() => service.stop());

    const api = createApi({
      service,
      config,
      tracing,
      log,
      version: PRODUCER_VERSION,
      access: { keys, limiter },
      queue: service.ownQueue,
    });
    // Nothing is read from a stream that is slowed down, so only TCP itself detects that its client was
    // switched off.
    const server = createServer(
      { keepAlive: true, keepAliveInitialDelay: TCP_PROBE_AFTER_MS, ...expressMessages(api) },
      api,
    );
    // A part may be uploaded for hours; the API itself ends a stalled body.
    server.requestTimeout = 0;
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.listen(config.port, config.host);
    await once(server, 'listening');
    releasers.add(async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
    const { port } = server.address() as AddressInfo;
    const host = config.host.includes(':') ? `[${config.host}]` : config.host;
    return {
      url: `http://${host}:${port}`,
      opening: service.opening,
      whenBroken: service.whenBroken,
      stop: () => releasers.release(),
    };
  } catch (error) {
    await releasers.release().catch(() => {});
    throw error;
  }
}
