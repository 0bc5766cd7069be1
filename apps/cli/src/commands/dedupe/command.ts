/** `embedmill dedupe`: rows that say nearly the same. */

import { duplicateSteps } from '@embedmill/analysis';
import { type Command, InvalidArgumentError } from 'commander';
import { checkCsvPath, writeCsv } from '../../io/records/write-csv.ts';
import { loadVectors } from '../../io/vectors/load.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples } from '../../shell/options.ts';
import { countingOn, displayFor, takeSteps } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { groupsOf } from './groups.ts';

const EXPLANATION = `
OUTPUT has the rows that have a duplicate, group by group: the group, the id,
keep (yes for the first row of the group in the file, else no), the cosine with
that row, and the number of the row in the file, from 1, as ids may repeat. Rows
are in one group when a chain of cosines of at least the threshold links them,
so look at the cosine before you drop a row of a large group.

Every two rows are compared, which takes about a minute for 50,000 rows and four
times as long for twice as many.
`;

interface DedupeFlags {
  to: string;
  threshold: number;
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addDedupeCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('dedupe')
    .summary('find rows that are nearly the same')
    .description('Finds the rows of a file of vectors that are nearly the same.')
    .argument('<vectors>', 'vectors: .npy, .jsonl, .parquet, .arrow or .lance')
    .requiredOption('--to <output>', 'where the groups go: a .csv')
    .option('--threshold <cosine>', 'least cosine of two rows that are the same', cosine, 0.95)
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill dedupe reviews.npy --to duplicates.csv', 'groups of near-duplicates'],
          ['embedmill dedupe reviews.npy --to duplicates.csv --threshold 0.9', 'a wider net'],
        ),
    )
    .action(async (vectors: string, flags: DedupeFlags) => {
      await dedupeCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function dedupeCommand(vectors: string, flags: DedupeFlags, context: CommandContext): Promise<void> {
  checkCsvPath(flags.to);
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  try {
    const { matrix, ids, numbers, missing } = await loadVectors(file, {
      onRows: countingOn(display, file.rows),
      signal,
    });
    const show = countingOn(display, matrix.rows);
    // The share of the pairs grows with the square of the rows that are done.
    const onShare = (share: number) => show(Math.floor(Math.sqrt(share) * matrix.rows));
    const firsts = await takeSteps(duplicateSteps(matrix, flags.threshold), { onShare, signal });
    display.end();
    const groups = groupsOf(matrix, firsts);
    await writeCsv(flags.to, ['group', 'id', 'keep', 'cosine', 'row'], rowsOf());
    function* rowsOf(): Generator<(string | number)[]> {
      for (const [group, members] of groups.entries()) {
        for (const [n, { row, cosine: withFirst }] of members.entries()) {
          yield [group, ids[row]!, n === 0 ? 'yes' : 'no', withFirst.toFixed(4), numbers[row]! + 1];
        }
      }
    }
    const duplicates = groups.reduce((sum, members) => sum + members.length - 1, 0);
    const { threshold } = flags;
    const figures = { rows: matrix.rows, missing, threshold, groups: groups.length, duplicates };
    context.stdout.write(
      flags.json
        ? `${JSON.stringify(figures)}\n`
        : `${formatNoun(groups.length, 'group')} among ${formatNoun(matrix.rows, 'row')}; ${formatNoun(duplicates, 'row')} could be dropped\n`,
    );
  } finally {
    display.end();
  }
}

/** Reads a cosine that can mean "the same". */
function cosine(given: string): number {
  const value = Number(given);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0, up to 1.');
}
