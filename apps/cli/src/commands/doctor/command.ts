/** `embedmill doctor`: is this machine fit, and if not, what is missing? */

import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
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
    .description('Checks Node, CPU, memory, Redis, folders, and that the model computes what it must.')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      '\nExit code 1 when something is broken (✗); what is only worth knowing (!) does not count.\n',
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

/** The findings one after the other: the last ones take a few seconds. */
async function* examine({ environment }: CommandContext): AsyncGenerator<Finding> {
  const config = readConfig(environment);
  yield checkNode(process.versions.node);
  yield checkCpu();
  yield checkThreads(config);
  yield checkMemory(config);
  yield await checkRedis(config);
  yield await checkFolder('Data', config.dataDir);
  yield await checkFolder('Cache', config.cacheDir);
  // Loaded last: where ONNX Runtime cannot even be loaded, the lines above are still printed.
  const { checkModel } = await import('./model.ts');
  yield* await checkModel(config);
}

/** One line, for example `✓ Node      20.20.2`. */
export function describeFinding({ health, subject, message }: Finding, paint: Paint): string {
  return `${paint(LOOKS[health], MARKS[health])} ${subject.padEnd(SUBJECT_WIDTH)} ${message}`;
}
