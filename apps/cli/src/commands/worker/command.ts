/** `embedmill worker`: inference as a process in the foreground; any number of them, on any machines. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { endWithin } from '../../shell/end-within.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples, port, redisOption, threadsOption } from '../../shell/options.ts';

interface WorkerFlags {
  redis?: string;
  threads?: number;
  host?: string;
  port?: number;
  model?: string;
}

/** Adds the command; `end` receives its exit code. */
export function addWorkerCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('worker')
    .summary('run a worker')
    .description(
      'Takes batches of texts from Redis, embeds them and hands back the vectors. Add as many as you like.',
    )
    .addOption(redisOption())
    .addOption(threadsOption())
    .option(
      '--model <folder>',
      "another model in the hub's layout (default: $EMBEDMILL_MODEL, all-MiniLM-L6-v2)",
    )
    .option('--host <address>', 'address of health and metrics (default: $EMBEDMILL_HOST, 127.0.0.1)')
    .option('--port <port>', 'port of health and metrics (default: $EMBEDMILL_WORKER_PORT, 9464)', port)
    .addHelpText(
      'after',
      examples(
        ['embedmill worker --redis redis://10.0.0.5:6379', 'all CPUs of this machine join the fleet'],
        ['embedmill worker --redis redis://10.0.0.5:6379 --threads 2 --port 0', 'a second, small one'],
      ),
    )
    .action(async (flags: WorkerFlags) => {
      // Loaded when it is needed: the help of the command is not to wait for ONNX Runtime.
      const { runWorker } = await import('@embedmill/worker');
      const config = readConfig({
        ...context.environment,
        ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
        ...(flags.threads === undefined ? {} : { EMBEDMILL_THREADS: String(flags.threads) }),
        ...(flags.model === undefined ? {} : { EMBEDMILL_MODEL: flags.model }),
        ...(flags.host === undefined ? {} : { EMBEDMILL_HOST: flags.host }),
        ...(flags.port === undefined ? {} : { EMBEDMILL_WORKER_PORT: String(flags.port) }),
      });
      endWithin(config.shutdownMs);
      end((await runWorker(config)) === 0 ? EXIT.ok : EXIT.failure);
    });
}
