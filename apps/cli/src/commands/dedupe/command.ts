/** `embedmill dedupe`: finds near-duplicate rows. */

import { duplicateSteps } from '@embedmill/analysis';
import { cosineOfRelative, quote, relativeScore } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { readModelFacts } from '@embedmill/embed/added-models';
import type { Command } from 'commander';
import { ColumnCopy } from '../../io/columns/copy.ts';
import { readColumnChoice } from '../../io/columns/spool.ts';
import { type CsvCell, checkCsvPath, writeCsv } from '../../io/records/write-csv.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import { fieldsOf, findTextRows } from '../../io/texts/read-texts.ts';
import { loadVectors } from '../../io/vectors/load.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  copiedColumnsOption,
  examples,
  fraction,
  textsOptions,
  VECTORS_ARGUMENT,
} from '../../shell/options.ts';
import { countRows, displayFor, takeSteps } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { groupsOf } from './groups.ts';

const EXPLANATION = `
OUTPUT lists the rows with duplicates, group by group: group, id, keep (yes for
the first row of the group, otherwise no), cosine similarity to that row, row
number from 1, because ids may repeat, and the columns of the input: those that
VECTORS has, or else those of --texts. Lists and objects are JSON text. A group
is a chain of rows linked by similarities of at least the threshold, so check
the similarity before you drop rows of a large group.

All pairs of rows are compared: about one minute for 50,000 rows, four times as
long for twice as many.
`;

interface DedupeFlags extends TextsFlags {
  to: string;
  texts?: string;
  columns: string;
  threshold?: number;
  model?: string;
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addDedupeCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('dedupe')
    .summary('find near-duplicate rows')
    .description('Find near-duplicate rows of a vector file.')
    .argument(...VECTORS_ARGUMENT)
    .requiredOption('--to <output>', 'output file for the groups: .csv')
    .option(
      '--threshold <cosine>',
      'minimum cosine similarity of duplicates (default: 0.95, or as strict for --model)',
      fraction,
    )
    .option('--model <name>', 'model of the file, to which the default threshold is adapted')
    .option('--texts <file>', 'the embedded text file, for its columns')
    .addOption(copiedColumnsOption())
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of textsOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill dedupe reviews.npy --to duplicates.csv', 'groups of near-duplicates'],
          ['embedmill dedupe reviews.npy --to duplicates.csv --threshold 0.9', 'a lower threshold'],
        ),
    )
    .action(async (vectors: string, flags: DedupeFlags) => {
      await dedupeCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function dedupeCommand(vectors: string, flags: DedupeFlags, context: CommandContext): Promise<void> {
  checkCsvPath(flags.to);
  const config = readConfig(context.environment);
  const threshold = flags.threshold ?? (await defaultThreshold(flags.model, config));
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const taken = ['group', 'id', 'keep', 'cosine', 'row'];
  const choice = readColumnChoice(flags.columns);
  const copy = await ColumnCopy.fromVectors(file, { outputPath: flags.to, choice, taken, signal });
  try {
    const { matrix, ids, numbers, missing } = await loadVectors(file, {
      onRows: countRows(display, file.rows),
      signal,
    });
    const show = countRows(display, matrix.rows);
    // The share of pairs compared grows with the square of the rows done.
    const onShare = (share: number) => show(Math.floor(Math.sqrt(share) * matrix.rows));
    const firsts = await takeSteps(duplicateSteps(matrix, threshold), { onShare, signal });
    display.end();
    const groups = groupsOf(matrix, firsts);
    const rows = groups
      .flat()
      .map(({ row }) => row)
      .sort((a, b) => a - b);
    const wanted = rows.map((row) => ({ row: numbers[row]!, id: ids[row]! }));
    if (copy.needsTexts && flags.texts !== undefined) {
      const deps = { config, stdin: context.stdin, environment: context.environment, signal };
      const find = await findTextRows({ ...flags, path: flags.texts, columns: 'all' }, deps, wanted);
      await copy.replace(fieldsOf(wanted, find));
    }
    const cellsOfRow = new Map<number, CsvCell[]>();
    for await (const cells of copy.cells(wanted.map(({ row }) => row))) {
      cellsOfRow.set(rows[cellsOfRow.size]!, cells);
    }
    await writeCsv(flags.to, [...taken, ...copy.names], rowsOf());
    function* rowsOf(): Generator<CsvCell[]> {
      for (const [group, members] of groups.entries()) {
        for (const [n, { row, cosine: withFirst }] of members.entries()) {
          const own = [group, ids[row]!, n === 0 ? 'yes' : 'no', withFirst.toFixed(4), numbers[row]! + 1];
          yield [...own, ...cellsOfRow.get(row)!];
        }
      }
    }
    const duplicates = groups.reduce((sum, members) => sum + members.length - 1, 0);
    const figures = { rows: matrix.rows, missing, threshold, groups: groups.length, duplicates };
    context.stdout.write(
      flags.json
        ? `${JSON.stringify(figures)}\n`
        : `${formatNoun(groups.length, 'group')} among ${formatNoun(matrix.rows, 'row')}; ` +
            `${formatNoun(duplicates, 'row')} could be dropped\n`,
    );
  } finally {
    display.end();
    await copy.close();
  }
}

/** Default threshold for the built-in model. */
const THRESHOLD = 0.95;

/**
 * Returns the default threshold: as far above unrelated texts of the model as 0.95 is above those of the built-in
 * model.
 * @throws {UsageError} if the model was not added on this machine
 */
async function defaultThreshold(
  model: string | undefined,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): Promise<number> {
  if (model === undefined) return THRESHOLD;
  const [builtIn, own] = await Promise.all([undefined, model].map((name) => readModelFacts(name, cacheDir)));
  if (own === undefined) {
    throw new UsageError(
      `the scores of ${quote(model, 200)} were not measured; expected a model of "embedmill model list", or --threshold`,
    );
  }
  const cosine = cosineOfRelative(relativeScore(THRESHOLD, builtIn!.baseline), own.baseline);
  return Math.round(10_000 * cosine) / 10_000;
}
