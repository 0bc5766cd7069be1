/** `embedmill up`: runs Redis, a producer and a worker on this machine. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbedmillClient, withRetry } from '@embedmill/client';
import { type Config, FolderOwner, readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { Stack } from '../../engine/stack/stack.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, Interrupted } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { defaultFrom, engineOption, examples, port, threadsOption } from '../../shell/options.ts';
import { displayFor } from '../../shell/progress/index.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { showSample } from './tour.ts';

/** A wait for the producer that is not worth a note. */
const SHORT_WAIT_MS = 3_000;

interface UpFlags {
  redis?: string;
  port?: number;
  threads?: number;
  engine?: string;
  sample?: true;
  once?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addUpCommand(program: Command, context: CommandContext, end: (code: ExitCode) => void): void {
  program
    .command('up')
    .summary('run Redis, a producer and a worker')
    .description('Run Redis, a producer and a worker on this machine until Ctrl-C.')
    .option('--redis <url>', 'URL of Redis or Valkey (default: $REDIS_URL, or a private server)')
    .option('--port <port>', `port of the API ${defaultFrom(context.environment, 'PORT', 8080)}`, port)
    .addOption(threadsOption(context.environment))
    .addOption(engineOption(context.environment))
    .option('--sample', 'embed 2,500 sample reviews first, and search them')
    .option('--once', 'exit after the sample')
    .addHelpText(
      'after',
      examples(
        ['embedmill up', 'the API on port 8080, one inference thread per CPU'],
        ['embedmill up --sample --once', 'a demonstration'],
        ['EMBEDMILL_HOST=0.0.0.0 embedmill up --redis redis://10.0.0.5:6379', 'reachable by other machines'],
      ),
    )
    .action(async (flags: UpFlags) => end(await up(flags, context)));
}

async function up(flags: UpFlags, context: CommandContext): Promise<ExitCode> {
  const { stderr } = context;
  const environment = {
    ...context.environment,
    ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
    ...(flags.port === undefined ? {} : { PORT: String(flags.port) }),
    ...(flags.threads === undefined ? {} : { EMBEDMILL_THREADS: String(flags.threads) }),
    ...(flags.engine === undefined ? {} : { EMBEDMILL_ENGINE: flags.engine }),
  };
  const config = readConfig(environment);
  const display = displayFor(context, false);
  const signal = interruptionSignal(() =>
    display.note('Stopping; runs are kept and continue at the next start.'),
  );
  const stack = await start(config, environment, (line) => display.note(line));
  try {
    signal.throwIfAborted();
    const client = new EmbedmillClient({ url: () => stack.url, signal, apiKey: config.apiKey });
    await withRetry(() => client.checkReady(), { signal, onWait: waitNotes((line) => display.note(line)) });
    stderr.write(describeUrls(stack, config, context));
    const wantsSample = flags.sample || flags.once;
    const sampleRun = wantsSample ? await showSample({ client, display, signal, context }) : null;
    if (flags.once) return EXIT.ok;
    if (sampleRun !== null) display.note(`The vectors: ${stack.url}/v1/runs/${sampleRun}/results?format=npy`);
    display.note('Press Ctrl-C to stop.');
    const end = await Promise.race([stack.whenBroken, whenAborted(signal)]);
    throw end;
  } catch (error) {
    // Ctrl-C is the normal end of this command.
    if (error instanceof Interrupted) return flags.once ? EXIT.interrupted : EXIT.ok;
    throw error;
  } finally {
    display.end();
    await stack.stop();
  }
}

/** Notes each new reason of a wait that is not a short one, such as a Redis that does not respond. */
function waitNotes(onNote: (line: string) => void): (reason: string | null) => void {
  const startedAt = performance.now();
  let noted: string | null = null;
  return (reason) => {
    if (reason === null || reason === noted || performance.now() - startedAt < SHORT_WAIT_MS) return;
    noted = reason;
    onNote(`Waiting: ${reason}`);
  };
}

async function start(
  config: Config,
  environment: CommandContext['environment'],
  onNote: (line: string) => void,
) {
  const { redisUrl, dataDir, cacheDir, shutdownMs } = config;
  // Before anything is touched that a running producer uses.
  await FolderOwner.assertFree({ folder: dataDir, redisUrl: redisUrl ?? 'private', onWait: onNote });
  const logDir = logDirOf(config);
  // Only the logs of the last start are kept; "producer" and "worker" log to the terminal instead.
  await rm(logDir, { recursive: true, force: true });
  await mkdir(logDir, { recursive: true });
  return Stack.start({
    environment,
    shutdownMs,
    redisUrl,
    dataDir,
    cacheDir,
    logDir,
    onNote,
  });
}

/** Folder for the logs of producer and worker. */
function logDirOf({ dataDir }: Config): string {
  return join(dataDir, 'logs');
}

function describeUrls(stack: Stack, config: Config, { stderr, environment }: CommandContext): string {
  const paint = paintFor(stderr, environment);
  const [url, workerUrl] = [stack.url, stack.workerUrl].map(openableUrl);
  const lines = [
    ['Pages', `${url}/`],
    ['API', `${url}/v1/runs`],
    ['Ready', `${url}/readyz`],
    ['Metrics', `${url}/metrics and ${workerUrl}/metrics`],
    ['Redis', stack.redisOrigin === 'private' ? 'private, stops with this command' : 'from REDIS_URL'],
    ['Data', config.dataDir],
    ['Logs', logDirOf(config)],
  ];
  return `${paint('good', '✓')} ${paint('strong', 'Embedmill is up')}\n${lines
    .map(([name = '', value = '']) => `  ${name.padEnd(8)} ${value}\n`)
    .join('')}`;
}

/** Not every browser opens the address of all interfaces, on which a container listens. */
function openableUrl(url: string): string {
  return url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//localhost:');
}

function whenAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
