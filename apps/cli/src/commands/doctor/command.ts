/** `embedmill doctor`: checks whether this machine can run Embedmill. */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';
import { type Paint, paintFor } from '../../shell/terminal/style.ts';
import { checkFolder } from './folder.ts';
import { checkCpu, checkMemory, checkNode, checkThreads } from './machine.ts';
import { checkRedis } from './redis.ts';
import type { Finding, Health } from './types.ts';

const MARKS = { good: '✓', notice: '!', broken: '✗' } as const satisfies Record<Health, string>;
const LOOKS = { good: 'good', notice: 'warning', broken: 'bad' } as const;
const SUBJECT_WIDTH = 8;

/** Adds the command; `end` receives its exit code. */
export function addDoctorCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('doctor')
    .summary('check this machine')
    .description('Check Node, CPU, memory, Redis, folders and the vectors of the model.')
    .option('--json', 'print the findings as a JSON array')
    .addHelpText(
      'after',
      '\nExit codes: 1 for a problem (✗), else 0, also with notices (!).\n' +
        examples(['embedmill doctor', 'before the first run on a machine']),
    )
    .action(async (flags: { json?: true }) => {
      const findings: Finding[] = [];
      const paint = paintFor(context.stdout, context.environment);
      for await (const finding of examine(context)) {
        findings.push(finding);
        if (!flags.json) context.stdout.write(`${describeFinding(finding, paint)}\n`);
      }
      if (flags.json) context.stdout.write(`${JSON.stringify(findings)}\n`);
      end(findings.some(({ health }) => health === 'broken') ? EXIT.failure : EXIT.ok);
    });
}

/** Yields the findings one by one; the last ones take a few seconds. */
async function* examine({ environment }: CommandContext): AsyncGenerator<Finding> {
  const config = readConfig(environment);
  yield checkNode(process.versions.node);
  yield checkCpu();
  yield checkThreads(config);
  yield checkMemory(config);
  yield await checkRedis(config);
  yield await checkFolder('Data', config.dataDir);
  yield await checkFolder('Cache', config.cacheDir);
  // Loaded last, so that the findings above are printed even if ONNX Runtime cannot be loaded.
  const { checkModelAndVectors } = await import('./model.ts');
  yield* await checkModelAndVectors(config);
}

/** One line, for example `✓ Node      20.20.2`. */
export function describeFinding({ health, subject, message }: Finding, paint: Paint): string {
  return `${paint(LOOKS[health], MARKS[health])} ${subject.padEnd(SUBJECT_WIDTH)} ${message}`;
}
