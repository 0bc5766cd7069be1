/** `embedmill inspect`: shows how input files would be read, without embedding them. */

import { BUILT_IN_MODEL, builtInScripts, describeScripts, servedModelName } from '@embedmill/contract';
import type { InputPlan } from '@embedmill/core/formats';
import { type Config, readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { choicesFrom, type TextsFlags } from '../../io/texts/choices.ts';
import { describePlan } from '../../io/texts/describe-plan.ts';
import { planSource } from '../../io/texts/input.ts';
import { expandInput, locateInput } from '../../io/texts/locate.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, modelOption, textsOptions } from '../../shell/options.ts';
import { printable } from '../../shell/terminal/lines.ts';

const EXPLANATION = `
Prints what the first records show: format, packing, charset, line ends,
delimiter, header, columns, and which of them hold the text and the id. If the
file cannot be read that way, it says why and which options would read it.

Exit codes: 0 every file can be embedded, 2 usage error or a file that cannot,
1 any other error.
`;

interface InspectFlags extends TextsFlags {
  model?: string;
  json?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addInspectCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('inspect')
    .summary('show how a text file would be read')
    .description('Show how text files would be read, without embedding them.')
    .argument('<input...>', 'files, folders, globs, URLs or a database; or - for stdin');
  for (const option of textsOptions()) command.addOption(option);
  command.addOption(modelOption(context.environment));
  command
    .option('--json', 'print the plans as one JSON array')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill inspect export.csv', 'before embedding a file from elsewhere'],
          ['embedmill inspect export.csv --charset windows-1252', 'with a choice of your own'],
          ['embedmill inspect https://example.com/r.parquet', 'on the web, by ranges'],
          ["embedmill inspect 'shards/*.jsonl.zst' --json | jq .[].problem", 'for programs'],
        ),
    )
    .action(async (inputs: string[], flags: InspectFlags) => {
      const plans = await inspectFiles(inputs, flags, context);
      end(plans.every(({ problem }) => problem === null) ? EXIT.ok : EXIT.usage);
    });
}

async function inspectFiles(
  inputs: readonly string[],
  flags: InspectFlags,
  { stdin, stdout, stderr, environment }: CommandContext,
): Promise<InputPlan[]> {
  const config = readConfig(environment);
  const { maxRowBytes } = config;
  const model = flags.model ?? config.model ?? BUILT_IN_MODEL;
  const known = await scriptsOf(model, config);
  const deps = {
    ...{ stdin, environment, maxRowBytes },
    signal: interruptionSignal(() => {}),
    onRetry: (reason: string) => void stderr.write(`Waiting: ${printable(reason)}.\n`),
  };
  const plans: InputPlan[] = [];
  const lines: string[] = [];
  for (const source of await expandInput(locateInput(inputs, flags), deps)) {
    const { plan: read, opened } = await planSource(source, choicesFrom(flags), deps);
    await opened.close();
    const warning = describeScripts(read.scripts, servedModelName(model), known);
    const plan = { ...read, warnings: [...read.warnings, ...(warning === null ? [] : [warning])] };
    plans.push(plan);
    lines.push(source.name, ...describePlan(plan));
  }
  stdout.write(
    flags.json ? `${JSON.stringify(plans)}\n` : lines.map((line) => `${printable(line)}\n`).join(''),
  );
  return plans;
}

/** Scripts that an installed model knows; undefined for one that is not installed, which is not judged. */
async function scriptsOf(model: string, { cacheDir }: Config): Promise<readonly string[] | undefined> {
  const known = builtInScripts(model);
  if (known !== undefined) return known;
  // Loaded on use, so that other models do not wait for ONNX Runtime.
  const { readModelScripts } = await import('@embedmill/embed');
  return await readModelScripts(model, cacheDir);
}
