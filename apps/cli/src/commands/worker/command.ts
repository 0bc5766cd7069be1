/** `embedmill worker`: runs a worker in the foreground. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import {
  defaultFrom,
  engineOption,
  examples,
  modelOption,
  port,
  pullOption,
  redisOption,
  threadsOption,
} from '../../shell/options.ts';

interface WorkerFlags {
  redis?: string;
  threads?: number;
  host?: string;
  port?: number;
  model?: string;
  engine?: string;
}

/** Adds the command; `end` receives its exit code. */
export function addWorkerCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const { environment } = context;
  program
    .command('worker')
    .summary('run a worker')
    .description('Run a worker, which embeds batches of texts from Redis. Start any number, on any machines.')
    .addOption(redisOption())
    .addOption(threadsOption(environment))
    .addOption(modelOption(environment))
    .addOption(pullOption())
    .addOption(engineOption(environment))
    .option(
      '--host <address>',
      `address for health checks and metrics ${defaultFrom(environment, 'EMBEDMILL_HOST', '127.0.0.1')}`,
    )
    .option(
      '--port <port>',
      `port for health checks and metrics ${defaultFrom(environment, 'EMBEDMILL_WORKER_PORT', 9464)}`,
      port,
    )
    .addHelpText(
      'after',
      examples(
        ['embedmill worker --redis redis://10.0.0.5:6379', 'with one thread per CPU'],
        ['embedmill worker --redis redis://10.0.0.5:6379 --threads 2 --port 0', 'a second, smaller worker'],
      ),
    )
    .action(async (flags: WorkerFlags) => {
      // Loaded on use, so that the help does not wait for ONNX Runtime.
      const { runWorker } = await import('@embedmill/worker');
      const config = readConfig({
        ...context.environment,
        ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
        ...(flags.threads === undefined ? {} : { EMBEDMILL_THREADS: String(flags.threads) }),
        ...(flags.model === undefined ? {} : { EMBEDMILL_MODEL: flags.model }),
        ...(flags.engine === undefined ? {} : { EMBEDMILL_ENGINE: flags.engine }),
        ...(flags.host === undefined ? {} : { EMBEDMILL_HOST: flags.host }),
        ...(flags.port === undefined ? {} : { EMBEDMILL_WORKER_PORT: String(flags.port) }),
      });
      end((await runWorker(config)) === 0 ? EXIT.ok : EXIT.failure);
    });
}
