/** `embedmill dedupe`: finds near-duplicate rows. */

import { duplicateSteps } from '@embedmill/analysis';
import { cosineOfRelative, quote, relativeScore, STATIC_MODEL } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import { readModelFacts } from '@embedmill/embed/added-models';
import type { Command } from 'commander';
import { splitPrecision } from '../../engine/embedder/model-options.ts';
import { openReranker } from '../../engine/embedder/open.ts';
import type { TreatmentFlags } from '../../engine/embedder/treatment.ts';
import type { TextEmbedder } from '../../engine/embedder/types.ts';
import { ColumnCopy } from '../../io/columns/copy.ts';
import { readColumnChoice } from '../../io/columns/spool.ts';
import { type TableCell, writeTable } from '../../io/records/write-table.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import { fieldsOf, findTextRows } from '../../io/texts/read-texts.ts';
import { checkTextsOfVectors, findTextsOfVectors } from '../../io/texts/stored-texts.ts';
import { loadVectors } from '../../io/vectors/load.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  copiedColumnsOption,
  examples,
  fraction,
  pullOption,
  textsOptions,
  VECTORS_ARGUMENT,
} from '../../shell/options.ts';
import { checkOutputPath } from '../../shell/output-path.ts';
import { countRows, displayFor, takeSteps } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { cleanOption, glossaryOption, longOption } from '../../shell/treatment-options.ts';
import { groupsOf } from './groups.ts';
import { decideGroups } from './rerank.ts';

const EXPLANATION = `
OUTPUT lists the rows with duplicates, group by group: group, id, keep (yes for
the first row of the group, otherwise no), cosine similarity to that row, row
number from 1, because ids may repeat, and the columns of the input: those that
VECTORS has, or else those of --texts. Lists and objects are JSON text. A group
is a chain of rows linked by similarities of at least the threshold, so check
the similarity before you drop rows of a large group.

With --rerank, rows with another row at or above --first-threshold are embedded
again and compared by the better model, whose cosine decides; first_cosine is
that of the file. The texts come from a column of the file (--text) or from
--texts. --threshold is that of the better model.

All pairs of rows are compared: about one minute for 50,000 rows, four times as
long for twice as many.
`;

/** Default threshold for the built-in model. */
const THRESHOLD = 0.95;

/** Default first threshold for the static and the built-in model: docs/choosing-a-model.md has the measurement. */
const FIRST_THRESHOLD = 0.8;

interface DedupeFlags extends TextsFlags, TreatmentFlags {
  to: string;
  texts?: string;
  columns: string;
  threshold?: number;
  model?: string;
  rerank?: string;
  firstThreshold?: number;
  server?: string;
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
    .option('--rerank <model>', 'better model that decides; append @fp32 for its precision')
    .option(
      '--first-threshold <cosine>',
      `minimum cosine in the file of rows that --rerank compares (default: ${FIRST_THRESHOLD}, or as strict for --model)`,
      fraction,
    )
    .option('--server <url>', 'URL of a running producer for --rerank (default: this process)')
    .addOption(pullOption())
    .option('--texts <file>', 'the embedded text file, for its columns and for --rerank')
    .addOption(copiedColumnsOption())
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of [...textsOptions(), cleanOption(), longOption(), glossaryOption()])
    command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill dedupe reviews.npy --to duplicates.csv', 'groups of near-duplicates'],
          ['embedmill dedupe reviews.npy --to duplicates.csv --threshold 0.9', 'a lower threshold'],
          [
            'embedmill dedupe fast.parquet --to duplicates.csv --rerank all-MiniLM-L6-v2',
            'vectors of --model static, decided by the built-in model',
          ],
        ),
    )
    .action(async (vectors: string, flags: DedupeFlags) => {
      await dedupeCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function dedupeCommand(vectors: string, flags: DedupeFlags, context: CommandContext): Promise<void> {
  checkOutputPath(flags.to, ['.csv']);
  checkRerankOptions(flags);
  const config = readConfig(context.environment);
  const { rerank } = flags;
  const deciding = rerank === undefined ? flags.model : splitPrecision(rerank).model;
  const threshold = flags.threshold ?? (await thresholdOf(THRESHOLD, deciding, config));
  const firstThreshold =
    rerank === undefined
      ? threshold
      : (flags.firstThreshold ?? (await thresholdOf(FIRST_THRESHOLD, flags.model, config)));
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  if (rerank !== undefined) await checkTextsOfVectors(file, flags);
  const taken = ['group', 'id', 'keep', 'cosine', ...(rerank === undefined ? [] : ['first_cosine']), 'row'];
  const choice = readColumnChoice(flags.columns);
  const textsDeps = { config, stdin: context.stdin, environment: context.environment, signal };
  const copy = await ColumnCopy.fromVectors(file, { outputPath: flags.to, choice, taken, signal });
  try {
    const loaded = await loadVectors(file, { onRows: countRows(display, file.rows), signal });
    const { matrix, ids, numbers, missing } = loaded;
    const show = countRows(display, matrix.rows);
    // The share of pairs compared grows with the square of the rows done.
    const onShare = (share: number) => show(Math.floor(Math.sqrt(share) * matrix.rows));
    const firsts = await takeSteps(duplicateSteps(matrix, firstThreshold), { onShare, signal });
    display.end();
    const decision =
      rerank === undefined
        ? null
        : await withReranker(rerank, flags, { config, signal }, async (embedder) => ({
            ...(await decideGroups(loaded, firsts, {
              ...{ embedder, threshold, display, signal },
              findTexts: (rows) => findTextsOfVectors(file, flags, textsDeps, rows),
            })),
            ...{ decidedBy: embedder.name, firstThreshold },
          }));
    display.end();
    const { groups, ...decided } = decision ?? { groups: groupsOf(matrix, firsts) };
    const rows = groups
      .flat()
      .map(({ row }) => row)
      .sort((a, b) => a - b);
    const wanted = rows.map((row) => ({ row: numbers[row]!, id: ids[row]! }));
    if (copy.needsTexts && flags.texts !== undefined) {
      const find = await findTextRows({ ...flags, path: flags.texts, columns: 'all' }, textsDeps, wanted);
      await copy.replace(fieldsOf(wanted, find));
    }
    const cellsOfRow = new Map<number, TableCell[]>();
    for await (const cells of copy.cells(wanted.map(({ row }) => row))) {
      cellsOfRow.set(rows[cellsOfRow.size]!, cells);
    }
    await writeTable(flags.to, [...taken, ...copy.names], rowsOf());
    function* rowsOf(): Generator<TableCell[]> {
      for (const [group, members] of groups.entries()) {
        for (const [n, { row, cosine, firstCosine }] of members.entries()) {
          const first = firstCosine === undefined ? [] : [firstCosine.toFixed(4)];
          const keep = n === 0 ? 'yes' : 'no';
          const own = [group, ids[row]!, keep, cosine.toFixed(4), ...first, numbers[row]! + 1];
          yield [...own, ...cellsOfRow.get(row)!];
        }
      }
    }
    const duplicates = groups.reduce((sum, members) => sum + members.length - 1, 0);
    const figures = { rows: matrix.rows, missing, threshold, groups: groups.length, duplicates, ...decided };
    const decidedBy =
      decision === null
        ? ''
        : ` (decided by ${decision.decidedBy} among ${formatNoun(decision.candidates, 'candidate')})`;
    context.stdout.write(
      flags.json
        ? `${JSON.stringify(figures)}\n`
        : `${formatNoun(groups.length, 'group')} among ${formatNoun(matrix.rows, 'row')}; ` +
            `${formatNoun(duplicates, 'row')} could be dropped${decidedBy}\n`,
    );
  } finally {
    display.end();
    await copy.close();
  }
}

/** Calls `use` with the better model, and closes it. */
async function withReranker<Result>(
  rerank: string,
  flags: DedupeFlags,
  deps: { config: Config; signal: AbortSignal },
  use: (embedder: TextEmbedder) => Promise<Result>,
): Promise<Result> {
  const embedder = await openReranker(rerank, flags, { ...deps, inputType: 'document' });
  try {
    return await use(embedder);
  } finally {
    await embedder.close();
  }
}

/** @throws {UsageError} for an option that has no effect without --rerank */
function checkRerankOptions(flags: DedupeFlags): void {
  if (flags.rerank !== undefined) return;
  const given: readonly (readonly [option: string, isGiven: boolean])[] = [
    ['--first-threshold', flags.firstThreshold !== undefined],
    ['--server', flags.server !== undefined],
    ['--clean', flags.clean.length > 0],
    ['--long', flags.long !== 'truncate'],
    ['--glossary', flags.glossary !== undefined],
  ];
  const useless = given.find(([, isGiven]) => isGiven);
  if (useless !== undefined) throw new UsageError(`${useless[0]} requires --rerank`);
}

/**
 * Adapts a threshold to a model: as far above unrelated texts of the model as the threshold is above those of the
 * built-in model. The static model has the thresholds of the built-in one.
 * @throws {UsageError} if the scores of the model were not measured on this machine
 */
async function thresholdOf(
  threshold: number,
  model: string | undefined,
  { cacheDir }: Pick<Config, 'cacheDir'>,
): Promise<number> {
  if (model === undefined || model === STATIC_MODEL) return threshold;
  const [builtIn, own] = await Promise.all([undefined, model].map((name) => readModelFacts(name, cacheDir)));
  if (own === undefined) {
    throw new UsageError(
      `the scores of ${quote(model, 200)} were not measured; expected a model of "embedmill model list", or --threshold`,
    );
  }
  const cosine = cosineOfRelative(relativeScore(threshold, builtIn!.baseline), own.baseline);
  return Math.round(10_000 * cosine) / 10_000;
}
