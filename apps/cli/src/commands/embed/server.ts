/** The producer that embeds the rows: a running one, or one started for this command. */

import { createHash } from 'node:crypto';
import { ApiError, EmbedmillClient } from '@embedmill/client';
import { asError, EmbedmillError } from '@embedmill/contract';
import { type Config, defaultThreads, type Environment, withPrefix } from '@embedmill/core/process';
import { idsIn, type RunClient, runClientOf } from '../../engine/run/run-client.ts';
import { findProducers, memberOf } from '../../engine/spread/addresses.ts';
import { type GroupMember, ProducerGroup } from '../../engine/spread/producer-group.ts';
import { Stack } from '../../engine/stack/stack.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import type { OutputLock } from './lock.ts';
import type { EmbedFileRequest } from './request.ts';
import type { ResumeNote, RunRequest, WorkFolder } from './work-folder.ts';

/** Options of the calls to a producer. */
export interface ConnectOptions {
  signal: AbortSignal;
  /** Receives the reason while one of several producers does not answer, and `null` when all do. */
  onWait: (reason: string | null) => void;
}

/** A producer, or several, and its lifetime. */
export interface EmbedServer {
  /** The calls to it, which throw the reason of the signal. */
  connect(options: ConnectOptions): RunClient;
  /** Resolves with the reason when the processes cannot be kept alive. */
  whenBroken: Promise<Error>;
  /** Rejects if an own worker cannot start; rows may be sent before it is ready. */
  whenWorking: Promise<void>;
  /** Ends pending calls to several producers; stops own processes gracefully. */
  stop(): Promise<void>;
  /** Kills own processes; for use after the output is complete. */
  discard(): Promise<void>;
}

/** Dependencies of {@link startOwnServer}. */
export interface OwnServerDeps {
  config: Config;
  environment: Environment;
  folder: WorkFolder;
  lock: OutputLock;
  onNote: (line: string) => void;
}

/** Time for worker and producer to stop: a batch takes about one second. */
const SHUTDOWN_MS = 5_000;

/**
 * Time until a killed worker's batch is retried. Shorter than in a fleet, because no other worker can take
 * it.
 */
const LOCK_MS = 6_000;

/** Dependencies of {@link connectServer}. */
export interface ServerDeps {
  apiKey: string | undefined;
  folder: WorkFolder;
  signal: AbortSignal;
  onNote: (line: string) => void;
}

/**
 * Connects to a running producer, or to several.
 * @param server base URLs with commas; a host name with several addresses is several producers
 * @throws {EmbedmillError} `no-producer` when one is not healthy
 */
export async function connectServer(
  server: string,
  { apiKey, folder, signal, onNote }: ServerDeps,
): Promise<EmbedServer> {
  const producers = await findProducers(server);
  const ending = new AbortController();
  const options = { apiKey, signal: AbortSignal.any([signal, ending.signal]) };
  const members = await Promise.all(producers.map((producer) => memberOf(producer, options)));
  await Promise.all(members.map((member) => checkHealth(member, signal)));
  if (members.length > 1)
    onNote(`Spreading the rows over ${members.map(({ server: url }) => url).join(', ')}.`);
  return {
    connect: ({ signal: callSignal, onWait }) =>
      members.length === 1
        ? runClientOf(new EmbedmillClient({ url: server, apiKey, signal: callSignal }))
        : new ProducerGroup({
            members,
            partMapPath: folder.partMapPath,
            onWait,
            signal: AbortSignal.any([callSignal, ending.signal]),
          }),
    whenBroken: new Promise(() => {}),
    whenWorking: Promise.resolve(),
    stop: async () => ending.abort(),
    discard: async () => {},
  };
}

async function checkHealth({ server, client }: GroupMember, signal: AbortSignal): Promise<void> {
  await client.checkHealth().catch((error) => {
    signal.throwIfAborted();
    throw new EmbedmillError(
      'no-producer',
      `no usable producer at ${server}: ${error instanceof Error ? error.message : error}. ` +
        'Start one there with "embedmill up", or leave out --server.',
      { cause: error },
    );
  });
}

/**
 * Deletes the runs of an earlier attempt. One that was interrupted while it created them may have any of them: they are created if
 * they are not there.
 * @param server base URLs with commas
 * @param note its run, or its request
 * @returns what could not be deleted: a sentence per producer
 */
export async function deleteRuns(
  server: string,
  { run, request }: Pick<ResumeNote, 'run' | 'request'>,
  options: { apiKey: string | undefined; signal: AbortSignal },
): Promise<string[]> {
  const producers = await findProducers(server);
  const members = await Promise.all(producers.map((producer) => memberOf(producer, options)));
  const problems = members.map(async (member) => {
    try {
      for (const id of run === null ? await createdBy(member, request) : idsIn(run))
        await deleteRun(member, id);
      return null;
    } catch (error) {
      const name = run === null ? 'The run of the earlier attempt' : `The earlier run ${run}`;
      return `${name} could not be deleted on ${member.server}: ${asError(error).message}`;
    }
  });
  return (await Promise.all(problems)).filter((problem) => problem !== null);
}

/** Id of the run that a request has created at a producer. */
async function createdBy({ client }: GroupMember, request: RunRequest | undefined): Promise<string[]> {
  if (request === undefined) return [];
  return [(await client.createRun(request.run, { idempotencyKey: request.key })).id];
}

async function deleteRun({ client }: GroupMember, id: string): Promise<void> {
  await client.delete(id).catch((error) => {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
  });
}

/** Starts Redis, a producer and a worker for this command. Their data is in the work folder. */
export async function startOwnServer(request: EmbedFileRequest, deps: OwnServerDeps): Promise<EmbedServer> {
  const { config, environment, folder, lock, onNote } = deps;
  const threads = request.threads ?? config.threads;
  const cores = defaultThreads();
  if (threads !== undefined && threads > cores)
    onNote(
      `Warning: ${threads} inference threads on ${formatNoun(cores, 'CPU')} take more memory and are not faster.`,
    );
  const stack = await Stack.start({
    environment: {
      ...environment,
      PORT: '0',
      EMBEDMILL_HOST: '127.0.0.1',
      EMBEDMILL_WORKER_PORT: '0',
      EMBEDMILL_PREFIX: ownPrefix(request.output.path),
      EMBEDMILL_THREADS: threads === undefined ? undefined : String(threads),
      EMBEDMILL_MODEL: request.model ?? undefined,
      EMBEDMILL_ENGINE: request.engine ?? config.engine,
      // The producer serves this command only, so it needs no authentication or rate limit.
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
    onStart: (pid) => {
      lock.addChild(pid);
      // Node loads `fetch` on first use; the time is free while the processes start.
      setImmediate(() => globalThis.Request);
    },
    awaitWorker: false,
  });
  return {
    connect: ({ signal }) =>
      runClientOf(new EmbedmillClient({ url: () => stack.url, apiKey: config.apiKey, signal })),
    whenBroken: stack.whenBroken,
    whenWorking: stack.whenWorking,
    stop: () => stack.stop(),
    discard: () => stack.kill(),
  };
}

/**
 * Deletes the keys that an own server left in a shared Redis; a private Redis is deleted with the work
 * folder.
 */
export async function deleteOwnKeys(config: Config, outputPath: string): Promise<void> {
  if (config.redisUrl === undefined) return;
  const { connect } = await import('@embedmill/core/redis');
  const { createLogger } = await import('@embedmill/core/telemetry');
  const redis = connect(
    withPrefix(config.redisUrl, ownPrefix(outputPath)),
    'patient',
    createLogger({ logLevel: 'silent' }, 'cli'),
  );
  try {
    const scan = redis.scanStream({ match: `{${ownPrefix(outputPath)}}*`, count: 1000 });
    for await (const keys of scan) if (keys.length > 0) await redis.unlink(keys);
  } finally {
    redis.disconnect();
  }
}

/** A key prefix unique to the output, which keeps commands apart on a shared Redis. */
function ownPrefix(outputPath: string): string {
  return `embed-${createHash('sha256').update(outputPath).digest('hex').slice(0, 16)}`;
}
