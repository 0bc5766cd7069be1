/** `embedmill producer`: the HTTP API as a process in the foreground. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { endWithin } from '../../shell/end-within.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples, port, redisOption } from '../../shell/options.ts';

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
  program
    .command('producer')
    .summary('run the HTTP API')
    .description(
      'Takes texts over HTTP, hands them to workers through Redis, and collects their vectors into files.',
    )
    .addOption(redisOption())
    .option('--host <address>', 'address to listen on (default: $EMBEDMILL_HOST, 127.0.0.1)')
    .option('--port <port>', 'port to listen on (default: $PORT, 8080)', port)
    .option('--data-dir <folder>', 'folder of runs (default: $EMBEDMILL_DATA_DIR, ~/.local/share/embedmill)')
    .addHelpText(
      'after',
      examples(
        ['embedmill producer --redis redis://10.0.0.5:6379', 'on this machine only'],
        ['embedmill producer --redis redis://10.0.0.5:6379 --host 0.0.0.0', 'for others too'],
      ),
    )
    .action(async (flags: ProducerFlags) => {
      // Loaded when it is needed: the help of the command is not to wait for express.
      const { runProducer } = await import('@embedmill/producer');
      const config = readConfig({
        ...context.environment,
        ...(flags.redis === undefined ? {} : { REDIS_URL: flags.redis }),
        ...(flags.host === undefined ? {} : { EMBEDMILL_HOST: flags.host }),
        ...(flags.port === undefined ? {} : { PORT: String(flags.port) }),
        ...(flags.dataDir === undefined ? {} : { EMBEDMILL_DATA_DIR: flags.dataDir }),
      });
      endWithin(config.shutdownMs);
      end((await runProducer(config)) === 0 ? EXIT.ok : EXIT.failure);
    });
}
