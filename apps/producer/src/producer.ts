/** Puts a producer together: Redis, runs, collector and the HTTP API. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '@embedmill/contract';
import { type Config, Releasers } from '@embedmill/core/process';
import { openTracing } from '@embedmill/core/telemetry';
import type { Logger } from 'pino';
import { KeyRing, openRateLimiter } from './access/index.ts';
import { createApi } from './app.ts';
import { Service } from './service.ts';
import { version } from './version.ts';

/** Silence of a connection after which TCP asks whether the other side is still there. */
const TCP_PROBE_AFTER_MS = 30_000;

/** A producer at work. */
export interface RunningProducer {
  /** Base URL of the API. */
  readonly url: string;
  /** Resolves when another producer took over the data folder; this one must then end. */
  readonly whenBroken: Promise<Error>;
  /** Takes no more requests, writes what is collected, gives the data folder back. */
  stop(): Promise<void>;
}

/**
 * Connections without a request are kept for so long: longer than load balancers keep theirs (AWS: 60 s), so that the end which
 * sends requests is the one that closes, and none is sent into a closing connection. Node's own 5 s are shorter.
 */
const KEEP_ALIVE_MS = 75_000;

/**
 * Starts a producer. The API answers at once; until Redis does too and the data folder is ours, runs get 503.
 * @throws {ConfigError} without `REDIS_URL`, or when the file of API keys cannot be used
 * @throws when the port is taken or the data folder cannot be written
 */
export async function startProducer(config: Config, { log }: { log: Logger }): Promise<RunningProducer> {
  const { redisUrl } = config;
  if (redisUrl === undefined) throw new ConfigError(['REDIS_URL: a producer needs a Redis']);
  const releasers = new Releasers();
  try {
    const tracing = await openTracing(config, { service: 'embedmill-producer', log });
    releasers.add(() => tracing.stop());
    const keys = KeyRing.open({ config, log });
    releasers.add(() => keys?.close());
    const limiter = openRateLimiter({ config, redisUrl, log });
    releasers.add(() => limiter?.close());
    const service = await Service.open({ config, redisUrl, tracing, log });
    releasers.add(() => service.stop());
    service.start();

    // While a stream is slowed down nothing is read from it, so only TCP itself notices a client that was switched off.
    const tcp = { keepAlive: true, keepAliveInitialDelay: TCP_PROBE_AFTER_MS };
    const access = { keys, limiter };
    const server = createServer(
      tcp,
      createApi({ service, config, tracing, log, version, access, queues: service.ownQueues }),
    );
    // A part may be uploaded for hours; the API itself ends a body that stalls.
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
    return { url: `http://${host}:${port}`, whenBroken: service.whenBroken, stop: () => releasers.release() };
  } catch (error) {
    await releasers.release().catch(() => {});
    throw error;
  }
}
