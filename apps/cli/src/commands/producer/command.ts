/** `embedmill producer`: runs the HTTP API in the foreground. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { defaultFrom, examples, port, redisOption } from '../../shell/options.ts';

interface ProducerFlags {
  redis?: string;
  host?: string;
  port?: number;
  dataDir?: string;
}

/** Adds the command; `end` receives its exit code. */
export function addProducerCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const { environment } = context;
  program
    .command('producer')
    .summary('run a producer: the HTTP API')
    .description('Run a producer, which takes texts over HTTP and stores their vectors in files.')
    .addOption(redisOption())
    .option('--host <address>', `listen address ${defaultFrom(environment, 'EMBEDMILL_HOST', '127.0.0.1')}`)
    .option('--port <port>', `listen port ${defaultFrom(environment, 'PORT', 8080)}`, port)
    .option(
      '--data-dir <folder>',
      `data folder ${defaultFrom(environment, 'EMBEDMILL_DATA_DIR', '~/.local/share/embedmill')}`,
    )
    .addHelpText(
      'after',
      examples(
        ['embedmill producer --redis redis://10.0.0.5:6379', 'reachable from this machine only'],
        ['embedmill producer --redis redis://10.0.0.5:6379 --host 0.0.0.0', 'reachable by other machines'],
      ),
    )
    .action(async (flags: ProducerFlags) => {
      // Loaded on use, so that the help does not wait for express.
      const { runProducer } = await import('@embedmill/producer');
      const config = readConfig({
        ...context.environment,
        ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
        ...(flags.host === undefined ? {} : { EMBEDMILL_HOST: flags.host }),
        ...(flags.port === undefined ? {} : { PORT: String(flags.port) }),
        ...(flags.dataDir === undefined ? {} : { EMBEDMILL_DATA_DIR: flags.dataDir }),
      });
      end((await runProducer(config)) === 0 ? EXIT.ok : EXIT.failure);
    });
}
