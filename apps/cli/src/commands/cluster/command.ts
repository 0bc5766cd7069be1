/** `embedmill cluster`: finds the topics of a vector file. */

import { REPRESENTATIVES, type Topics, topicSteps } from '@embedmill/analysis';
import { quote } from '@embedmill/contract';
import type { FlatColumn } from '@embedmill/core/formats';
import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { ColumnCopy } from '../../io/columns/copy.ts';
import { readColumnChoice } from '../../io/columns/spool.ts';
import { type TableCell, writeTable } from '../../io/records/write-table.ts';
import type { TextsFlags } from '../../io/texts/choices.ts';
import {
  fieldsOf,
  findTextRows,
  noTextsFound,
  type TextLookup,
  type TextRowLookup,
} from '../../io/texts/read-texts.ts';
import { loadVectors } from '../../io/vectors/load.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  copiedColumnsOption,
  examples,
  textsOptions,
  VECTORS_ARGUMENT,
  wholeNumber,
} from '../../shell/options.ts';
import { checkOutputPath } from '../../shell/output-path.ts';
import { countRows, displayFor, takeSteps } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { summarizeTopics, type TopicsSummary } from './cluster.ts';
import { describeTopics } from './describe.ts';
import { topicsOption } from './topics-option.ts';
import { VALUE_COUNT_COLUMNS, ValueCounts } from './value-counts.ts';

const EXPLANATION = `
Finds topics and their number, and groups of similar topics. The same rows and
options give the same topics.

OUTPUT (.csv, .parquet or .xlsx) has one line per row: id, topic (0 is the
largest), group, score (cosine similarity to the centroid of the topic), and the
columns of the input: those that VECTORS has, or else those of --texts. Lists
and objects are JSON text.
Beside topics.csv, topics.summary.csv has one line per topic: rows, key terms
(with --texts), the nearest topic and the terms that distinguish it from that,
typical texts. --by writes topics.by.csv, and --over topics.over.csv: the rows
of each topic by the values of a column, or by day, month or year.

--k sets the number of topics, if the one found is too coarse or too fine.

All vectors are held in memory: 1.5 GB for a million vectors of 384 floats.
`;

/** Extensions of the output. */
const EXTENSIONS = ['.csv', '.parquet', '.xlsx'];

interface ClusterFlags extends TextsFlags {
  to: string;
  k: number | null;
  seed: number;
  texts?: string;
  columns: string;
  by?: string;
  over?: string;
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addClusterCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('cluster')
    .summary('find topics and their key terms')
    .description('Find the topics of a vector file.')
    .argument(...VECTORS_ARGUMENT)
    .requiredOption('--to <output>', 'output file for the topic of each row: .csv, .parquet or .xlsx')
    .addOption(topicsOption())
    .option('--seed <n>', 'random seed', wholeNumber(0), 1)
    .option('--texts <file>', 'the embedded text file, for key terms and texts')
    .addOption(copiedColumnsOption())
    .option('--by <column>', 'also count the rows of each topic by the values of a copied column')
    .option('--over <column>', 'also count the rows of each topic over the dates of a copied column')
    .option('--json', 'print the summary as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of textsOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill cluster reviews.npy --to topics.csv --texts reviews.jsonl.gz', 'topics with key terms'],
          ['embedmill cluster reviews.parquet --to topics.csv --k 40 --json', '40 topics, for programs'],
          ['embedmill cluster reviews.parquet --to topics.csv --by stars --over day', 'shares and trend'],
        ),
    )
    .action(async (vectors: string, flags: ClusterFlags) => {
      await clusterCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

/** Columns of the output besides those of the input. */
const ROW_COLUMNS = ['id', ...['topic', 'group', 'score'].map(numberColumn)];

/** The path of an output beside the main one: `topics.csv` → `topics.summary.csv`. */
function pathBeside(path: string, part: 'summary' | 'by' | 'over'): string {
  return path.replace(/\.(\w+)$/, `.${part}.$1`);
}

async function clusterCommand(vectors: string, flags: ClusterFlags, context: CommandContext): Promise<void> {
  checkOutputPath(flags.to, EXTENSIONS);
  const config = readConfig(context.environment);
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const deps = { config, stdin: context.stdin, environment: context.environment, signal };
  const taken = ['id', 'topic', 'group', 'score'];
  const choice = readColumnChoice(flags.columns);
  const copy = await ColumnCopy.fromVectors(file, { outputPath: flags.to, choice, taken, signal });
  try {
    const needed = copy.needsTexts ? 'all' : 'none';
    const findRow: TextRowLookup =
      flags.texts === undefined
        ? () => null
        : await findTextRows({ ...flags, path: flags.texts, columns: needed }, deps, null);
    const find: TextLookup = (row) => findRow(row)?.text ?? null;
    const loaded = await loadVectors(file, { onRows: countRows(display, file.rows), signal });
    const { matrix, ids, numbers, missing } = loaded;
    const vectorRows = ids.map((id, row) => ({ row: numbers[row]!, id }));
    if (copy.needsTexts && flags.texts !== undefined) await copy.replace(fieldsOf(vectorRows, findRow));
    const counted = countedColumns(flags, copy.names);
    if (flags.k !== null && flags.k > matrix.rows) {
      throw new UsageError(`--k ${flags.k} exceeds the ${formatNoun(matrix.rows, 'row')} with a vector`);
    }
    const show = countRows(display, matrix.rows);
    const steps = topicSteps(matrix, { topics: flags.k, seed: flags.seed });
    const onShare = (share: number) => show(Math.floor(share * matrix.rows));
    const topics = await takeSteps(steps, { onShare, signal });
    display.end();
    display.note(describeChoice(topics));
    const summary = summarizeTopics(topics, loaded, (row) => find(vectorRows[row]!));
    if (flags.texts !== undefined && vectorRows.every((row) => find(row) === null)) {
      display.note(noTextsFound(flags.texts, ids));
    }
    await writeTable(
      flags.to,
      [...ROW_COLUMNS, ...copy.names],
      rowsOf(ids, topics, counted, copy.cells(numbers)),
    );
    await writeTable(pathBeside(flags.to, 'summary'), SUMMARY_COLUMNS, summaryRows(summary));
    for (const { part, column, counts } of counted) {
      const records = (part === 'over' ? counts.byPeriod() : counts).records();
      await writeTable(
        pathBeside(flags.to, part),
        [column, ...VALUE_COUNT_COLUMNS.map(numberColumn)],
        records,
      );
    }
    const lines = flags.json
      ? [JSON.stringify({ rows: matrix.rows, missing, choice: topics.choice, ...summary })]
      : describeTopics(summary, context.stdout.columns ?? 120);
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    display.end();
    await copy.close();
  }
}

/** A column whose values are counted. */
interface CountedColumn {
  part: 'by' | 'over';
  column: string;
  /** Position among the copied columns. */
  position: number;
  counts: ValueCounts;
}

/** The columns of `--by` and `--over`. @throws {UsageError} for a column that is not copied */
function countedColumns(flags: ClusterFlags, copied: readonly string[]): CountedColumn[] {
  return (['by', 'over'] as const).flatMap((part) => {
    const column = flags[part];
    if (column === undefined) return [];
    const position = copied.indexOf(column);
    if (position === -1) {
      const found = copied.map((name) => quote(name)).join(', ') || 'none';
      throw new UsageError(`--${part} names ${quote(column)}; the copied columns are ${found}`);
    }
    return [{ part, column, position, counts: new ValueCounts(column) }];
  });
}

/** States how many topics there are, and why. */
function describeChoice({ clustering, groups, choice }: Topics): string {
  const topics = formatNoun(clustering.centroids.rows, 'topic');
  const number = groups === null ? topics : `${topics} in ${formatNoun(new Set(groups).size, 'group')}`;
  if (choice === 'given') return number;
  return `${number}; ${choice === 'gaps' ? 'there are clear gaps between them' : 'set another number with --k'}`;
}

async function* rowsOf(
  ids: readonly string[],
  { clustering, groups }: Topics,
  counted: readonly CountedColumn[],
  cells: AsyncIterable<TableCell[]>,
): AsyncGenerator<TableCell[]> {
  let row = 0;
  for await (const copied of cells) {
    const topic = clustering.assignments[row]!;
    for (const { position, counts } of counted) counts.add(topic, copied[position]!);
    yield [ids[row]!, topic, groups?.[topic] ?? '', clustering.cosines[row]!.toFixed(4), ...copied];
    row += 1;
  }
}

/** A column of numbers. */
function numberColumn(name: string): FlatColumn {
  return { name, kind: 'number' };
}

const SUMMARY_COLUMNS = [
  numberColumn('topic'),
  numberColumn('group'),
  'group_terms',
  ...['rows', 'share', 'cohesion'].map(numberColumn),
  'terms',
  numberColumn('nearest_topic'),
  'terms_against_nearest',
  ...Array.from({ length: REPRESENTATIVES }, (_, n) => `text_${n + 1}`),
];

function* summaryRows({ topics, groups }: TopicsSummary): Generator<TableCell[]> {
  for (const { topic, group, rows, share, cohesion, terms, nearest, representatives } of topics) {
    yield [
      topic,
      group ?? '',
      group === null ? '' : groups[group]!.terms.join(', '),
      rows,
      share.toFixed(4),
      cohesion.toFixed(4),
      terms.join(', '),
      nearest?.topic ?? '',
      nearest?.terms.join(', ') ?? '',
      ...Array.from({ length: REPRESENTATIVES }, (_, n) => {
        const shown = representatives[n];
        return shown === undefined ? '' : (shown.text ?? shown.id);
      }),
    ];
  }
}
