/** `embedmill licenses`: prints the licences of the weights, of ONNX Runtime and of the libraries inside the command. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';

const NOTICE = new URL('../../../../../NOTICE', import.meta.url);
const LICENSE = new URL('../../../../../LICENSE', import.meta.url);

/** Written by scripts/release; a checkout has the libraries in node_modules instead. */
const LIBRARIES = new URL('../../../assets/THIRD_PARTY_LICENSES.txt', import.meta.url);

/** Adds the command; `end` receives its exit code. */
export function addLicensesCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('licenses')
    .summary('print licences')
    .description('Print who wrote the model, ONNX Runtime and the libraries, and under which licences.')
    .option('--full', 'print the texts of the licences as well')
    .addHelpText(
      'after',
      examples(
        ['embedmill licenses', 'authors and names of licences'],
        ['embedmill licenses --full > licences.txt', 'for a review'],
      ),
    )
    .action(async (flags: { full?: true }) => {
      context.stdout.write(await readFile(NOTICE, 'utf8'));
      if (flags.full) context.stdout.write(`\n${await readFile(LICENSE, 'utf8')}`);
      context.stdout.write(`\n${await describeLibraries(flags.full === true)}`);
      end(EXIT.ok);
    });
}

/** The libraries: their list, or with `full` also the texts. */
async function describeLibraries(full: boolean): Promise<string> {
  try {
    const text = await readFile(LIBRARIES, 'utf8');
    return full ? text : `${text.split('\n\n', 2).join('\n\n')}\n`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return 'This is a checkout: each library has its licence in its folder below node_modules.\n';
  }
}
