/** The command line: its commands, and how an error becomes words and an exit code. */

import { ApiError } from '@embedmill/client';
import { asError, EmbedmillError } from '@embedmill/core/local';
import { Command, CommanderError } from 'commander';
import { addAutoscaleCommand } from './commands/autoscale.ts';
import { addCalibrateCommand } from './commands/calibrate.ts';
import { addClusterCommand } from './commands/cluster.ts';
import { addDedupeCommand } from './commands/dedupe.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEmbedCommand } from './commands/embed.ts';
import { addEvalCommand } from './commands/eval.ts';
import { addLoadCommand } from './commands/load.ts';
import { addModelCommand } from './commands/model.ts';
import { examples } from './commands/options.ts';
import { addProducerCommand } from './commands/producer.ts';
import { addRunsCommand } from './commands/runs.ts';
import { addSearchCommand } from './commands/search.ts';
import { addUpCommand } from './commands/up.ts';
import { addWorkerCommand } from './commands/worker.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { paintFor } from './terminal/style.ts';
import { version } from './version.ts';

/** Runs the command that `argv` names and returns its exit code; nothing is thrown. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const end = (ended: ExitCode) => {
    code = ended;
  };
  const program = new Command('embedmill')
    .description('Turns texts into vectors in bulk, on ordinary CPUs.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'embedmill: ')),
    })
    .exitOverride()
    .addHelpText(
      'after',
      examples(
        ['embedmill embed reviews.jsonl --to reviews.npy', 'all on this machine, for this file'],
        ['embedmill up', 'producer and worker that stay'],
        ['embedmill doctor', 'is this machine fit?'],
      ),
    );
  for (const add of [
    addEmbedCommand,
    addUpCommand,
    addProducerCommand,
    addWorkerCommand,
    addRunsCommand,
    addAutoscaleCommand,
    addSearchCommand,
    addEvalCommand,
    addCalibrateCommand,
    addClusterCommand,
    addDedupeCommand,
    addLoadCommand,
    addModelCommand,
    addDoctorCommand,
  ]) {
    add(program, context, end);
  }
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    // commander has printed what is wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    context.stderr.write(
      `${paintFor(context.stderr, context.environment)('bad', 'embedmill:')} ${describeError(error)}\n`,
    );
    return exitCodeOf(error);
  }
}

/** What people need to know: the message of an error of ours, the whole stack of one that nobody expected. */
function describeError(thrown: unknown): string {
  const error = asError(thrown);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE' && 'port' in error) {
    return `port ${error.port} is taken by another program; choose another one with --port (0: any free one)`;
  }
  if (error instanceof ApiError && error.code === 'unauthorized') {
    return `${error.message} (the command takes it from EMBEDMILL_API_KEY)`;
  }
  const isExpected = error instanceof EmbedmillError || error.name === 'EmbedError' || code !== '';
  return isExpected ? error.message : (error.stack ?? error.message);
}
