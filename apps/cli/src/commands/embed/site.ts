/** Where a call's rows are embedded: at a running producer, or in a stack of its own. */

import { createHash } from 'node:crypto';
import { EmbedmillClient } from '@embedmill/client';
import { EmbedmillError } from '@embedmill/contract';
import type { Config, Environment } from '@embedmill/core/process';
import { Stack } from '../../engine/stack/stack.ts';
import type { WorkFolder } from './job.ts';
import type { Lock } from './lock.ts';
import type { EmbedRequest } from './request.ts';

/** A producer to speak to. */
export interface Site {
  /** Its base URL at this moment. */
  url: () => string;
  /** Settles with the reason when it cannot be kept alive. */
  whenBroken: Promise<Error>;
  stop(): Promise<void>;
  /** Ends what belongs to this call at once; for when the output is complete. */
  discard(): Promise<void>;
}

/** What {@link openStack} works with. */
export interface StackDeps {
  config: Config;
  environment: Environment;
  folder: WorkFolder;
  lock: Lock;
  onNote: (line: string) => void;
}

/** Milliseconds that worker and producer may take to stop: a batch takes about one second. */
const SHUTDOWN_MS = 5_000;

/**
 * Milliseconds until a batch of a killed worker is offered again. Much less than in a fleet: the one worker is on this
 * machine, and nobody else could do the batch meanwhile.
 */
const LOCK_MS = 6_000;

/** A producer that runs already. @throws {EmbedmillError} `no-producer` when nobody answers there */
export async function openServer(
  url: string,
  { signal, apiKey }: { signal: AbortSignal; apiKey: string | undefined },
): Promise<Site> {
  await new EmbedmillClient({ url, signal, apiKey }).checkHealth().catch((error) => {
    signal.throwIfAborted();
    throw new EmbedmillError(
      'no-producer',
      `no producer can be used at ${url}: ${error instanceof Error ? error.message : error}. ` +
        'Start one there with "embedmill up", or leave out --server.',
      { cause: error },
    );
  });
  return { url: () => url, whenBroken: new Promise(() => {}), stop: async () => {}, discard: async () => {} };
}

/** Redis, producer and worker for this call alone; everything they keep is in the work folder. */
export async function openStack(request: EmbedRequest, parts: StackDeps): Promise<Site> {
  const { config, environment, folder, lock, onNote } = parts;
  const threads = request.threads ?? config.threads;
  const stack = await Stack.start({
    environment: {
      ...environment,
      PORT: '0',
      EMBEDMILL_HOST: '127.0.0.1',
      EMBEDMILL_WORKER_PORT: '0',
      EMBEDMILL_PREFIX: ownPrefix(request.output.path),
      EMBEDMILL_THREADS: threads === undefined ? undefined : String(threads),
      EMBEDMILL_MODEL: request.model ?? undefined,
      // Nobody else is to speak to it.
      EMBEDMILL_API_KEYS: undefined,
      EMBEDMILL_API_KEYS_FILE: undefined,
      EMBEDMILL_RATE_LIMIT: undefined,
      EMBEDMILL_LOCK_MS: String(LOCK_MS),
      EMBEDMILL_LOG_LEVEL: environment.EMBEDMILL_LOG_LEVEL ?? 'warn',
    },
    shutdownMs: SHUTDOWN_MS,
    redisUrl: config.redisUrl,
    dataDir: folder.dataDir,
    cacheDir: config.cacheDir,
    logDir: folder.path,
    onNote,
    onStart: (pid) => lock.addChild(pid),
  });
  return {
    url: () => stack.url,
    whenBroken: stack.whenBroken,
    stop: () => stack.stop(),
    discard: () => stack.kill(),
  };
}

/** Removes what a call's stack left in a Redis that is not its own; a private one goes with the folder. */
export async function forgetKeys(config: Config, outputPath: string): Promise<void> {
  if (config.redisUrl === undefined) return;
  const { connect } = await import('@embedmill/core/redis');
  const { createLogger } = await import('@embedmill/core/telemetry');
  const redis = connect(config.redisUrl, 'patient', createLogger({ logLevel: 'silent' }, 'cli'));
  try {
    const scan = redis.scanStream({ match: `{${ownPrefix(outputPath)}}*`, count: 1000 });
    for await (const keys of scan) if (keys.length > 0) await redis.unlink(keys);
  } finally {
    redis.disconnect();
  }
}

/** A prefix of Redis keys that no other output has, so that the call meets no other fleet on a shared Redis. */
function ownPrefix(outputPath: string): string {
  return `embed-${createHash('sha256').update(outputPath).digest('hex').slice(0, 16)}`;
}
