/** The command line: its commands, and how errors become messages and exit codes. */

import { createRequire } from 'node:module';
import { ApiError } from '@embedmill/client';
import { asError, EmbedmillError } from '@embedmill/contract';
import { Command, CommanderError } from 'commander';
import type { CommandContext } from './shell/context.ts';
import { EXIT, type ExitCode, exitCodeOf } from './shell/exit-codes.ts';
import { examples } from './shell/options.ts';
import { printable } from './shell/terminal/lines.ts';
import { paintFor } from './shell/terminal/style.ts';

/** Version in package.json. */
const VERSION: string = createRequire(import.meta.url)('../package.json').version;

/** Adds a command to the program; `end` receives its exit code. */
type AddCommand = (program: Command, context: CommandContext, end: (code: ExitCode) => void) => void;

/**
 * Commands by name, in the order of the help. Each imports much code, so only the command that runs is
 * loaded.
 */
const COMMANDS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ['embed', async () => (await import('./commands/embed/command.ts')).addEmbedCommand],
  ['inspect', async () => (await import('./commands/inspect/command.ts')).addInspectCommand],
  ['up', async () => (await import('./commands/up/command.ts')).addUpCommand],
  ['producer', async () => (await import('./commands/producer/command.ts')).addProducerCommand],
  ['worker', async () => (await import('./commands/worker/command.ts')).addWorkerCommand],
  ['runs', async () => (await import('./commands/runs/command.ts')).addRunsCommand],
  ['status', async () => (await import('./commands/status/command.ts')).addStatusCommand],
  ['autoscale', async () => (await import('./commands/autoscale/command.ts')).addAutoscaleCommand],
  ['search', async () => (await import('./commands/search/command.ts')).addSearchCommand],
  ['eval', async () => (await import('./commands/eval/command.ts')).addEvalCommand],
  ['calibrate', async () => (await import('./commands/calibrate/command.ts')).addCalibrateCommand],
  ['cluster', async () => (await import('./commands/cluster/command.ts')).addClusterCommand],
  ['map', async () => (await import('./commands/map/command.ts')).addMapCommand],
  ['dedupe', async () => (await import('./commands/dedupe/command.ts')).addDedupeCommand],
  ['glossary', async () => (await import('./commands/glossary/command.ts')).addGlossaryCommand],
  ['load', async () => (await import('./commands/load/command.ts')).addLoadCommand],
  ['verify', async () => (await import('./commands/verify/command.ts')).addVerifyCommand],
  ['model', async () => (await import('./commands/model/command.ts')).addModelCommand],
  ['licenses', async () => (await import('./commands/licenses/command.ts')).addLicensesCommand],
  ['doctor', async () => (await import('./commands/doctor/command.ts')).addDoctorCommand],
]);

/** Runs the command in `argv` and returns its exit code. Never throws. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const end = (ended: ExitCode) => {
    code = ended;
  };
  const program = new Command('embedmill')
    .description('Embed texts in bulk, on ordinary CPUs.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(printable(text).replace(/^error: /, 'embedmill: ')),
    })
    .exitOverride()
    .addHelpText(
      'after',
      examples(
        ['embedmill embed reviews.jsonl --to reviews.npy', 'embed one file on this machine'],
        ['embedmill up', 'run a producer and a worker'],
        ['embedmill doctor', 'check this machine'],
      ),
    );
  // Without a known command, all are loaded for the help or a suggestion.
  const named = COMMANDS.get(argv[2] ?? '');
  const asksVersion = argv[2] === '--version' || argv[2] === '-V';
  const needed = named === undefined ? COMMANDS.values() : [named];
  for (const load of asksVersion ? [] : needed) {
    const add = await load();
    add(program, context, end);
  }
  program.hook('preAction', async (_, command) => {
    const namesModel = command.options.some(({ long }) => long === '--pull');
    if (!namesModel && command.name() !== 'up') return;
    const { installMissing } = await import('./commands/model/install-missing.ts');
    // `dedupe --model` names the model of a file, whose vectors are all it needs.
    const own = command.name() === 'dedupe' ? { model: [] } : {};
    await installMissing({ ...command.opts(), ...own }, context);
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    // commander has already printed the error or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    context.stderr.write(
      `${paintFor(context.stderr, context.environment)('bad', 'embedmill:')} ${printable(describeError(error))}\n`,
    );
    return exitCodeOf(error);
  }
}

/** The message of an expected error, or the stack of an unexpected one. */
function describeError(thrown: unknown): string {
  const error = asError(thrown);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE' && 'port' in error) {
    return `port ${error.port} is in use; choose another one with --port (0: any free port)`;
  }
  if (['ENOSPC', 'EDQUOT'].includes(code)) {
    return `a disk is full (${error.message}); free some space and run the same command again`;
  }
  if (error instanceof ApiError && error.code === 'unauthorized') {
    return `${error.message} (set EMBEDMILL_API_KEY)`;
  }
  const isExpected = error instanceof EmbedmillError || error.name === 'EmbedError' || code !== '';
  return isExpected ? error.message : (error.stack ?? error.message);
}
