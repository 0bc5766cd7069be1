/** `embedmill cluster`: clusters the rows of a vector file by topic. */

import { bestCount, type CountScore } from '@embedmill/analysis';
import { readConfig } from '@embedmill/core/process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ColumnCopy } from '../../io/columns/copy.ts';
import { readColumnChoice } from '../../io/columns/spool.ts';
import { type CsvCell, checkCsvPath, writeCsv } from '../../io/records/write-csv.ts';
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
import { countRows, displayFor, takeSteps } from '../../shell/progress/index.ts';
import { cutLine } from '../../shell/terminal/lines.ts';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { type ClusterSummary, clusterSteps, summarizeClusters } from './cluster.ts';

const EXPLANATION = `
OUTPUT has one line per row: id, cluster (0 is the largest), cosine similarity
to the centroid, and the columns of the input: those that VECTORS has, or else
those of --texts. Lists and objects are JSON text. A second file, named
.summary.csv, has one line per cluster: rows, cohesion, key terms (with --texts)
and distinct representative rows.

--k auto tries numbers up to 128 on a sample and chooses the one with the best
separation (silhouette). Texts rarely form clear clusters, so check the summary,
and set a number if it is too coarse or too fine.

All vectors are held in memory: 1.5 GB for a million vectors of 384 floats.
`;

interface ClusterFlags extends TextsFlags {
  to: string;
  k: number | null;
  seed: number;
  texts?: string;
  columns: string;
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
    .summary('cluster rows by topic')
    .description('Cluster the rows of a vector file by topic.')
    .argument(...VECTORS_ARGUMENT)
    .requiredOption('--to <output>', 'output file for the cluster of each row: .csv')
    .addOption(
      new Option('--k <clusters>', 'number of clusters, or auto')
        .argParser(clusterCount)
        .default(null, '"auto"'),
    )
    .option('--seed <n>', 'random seed', wholeNumber(0), 1)
    .option('--texts <file>', 'the embedded text file, for key terms and texts')
    .addOption(copiedColumnsOption())
    .option('--json', 'print the summary as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of textsOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill cluster reviews.npy --to topics.csv --texts reviews.jsonl.gz', 'topics with key terms'],
          ['embedmill cluster reviews.parquet --to topics.csv --k 40 --json', '40 clusters, for programs'],
        ),
    )
    .action(async (vectors: string, flags: ClusterFlags) => {
      await clusterCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

/** `topics.csv` → `topics.summary.csv`. */
function summaryPath(path: string): string {
  return path.replace(/\.csv$/i, '.summary.csv');
}

async function clusterCommand(vectors: string, flags: ClusterFlags, context: CommandContext): Promise<void> {
  checkCsvPath(flags.to);
  const config = readConfig(context.environment);
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const deps = { config, stdin: context.stdin, environment: context.environment, signal };
  const taken = ['id', 'cluster', 'cosine'];
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
    const names = [...taken, ...copy.names];
    if (flags.k !== null && flags.k > matrix.rows) {
      throw new UsageError(`--k ${flags.k} exceeds the ${formatNoun(matrix.rows, 'row')} with a vector`);
    }
    const show = countRows(display, matrix.rows);
    const steps = clusterSteps(loaded, { clusters: flags.k, seed: flags.seed });
    const onShare = (share: number) => show(Math.floor(share * matrix.rows));
    const { clustering, tried } = await takeSteps(steps, { onShare, signal });
    display.end();
    for (const line of describeTried(tried, clustering.centroids.rows)) display.note(line);
    const clusters = summarizeClusters(clustering, loaded, (row) => find(vectorRows[row]!));
    if (flags.texts !== undefined && vectorRows.every((row) => find(row) === null)) {
      display.note(noTextsFound(flags.texts, ids));
    }
    await writeCsv(flags.to, names, rowsOf(ids, clustering, copy.cells(numbers)));
    await writeCsv(
      summaryPath(flags.to),
      ['cluster', 'rows', 'cohesion', 'terms', 'representatives'],
      summaryRows(clusters),
    );
    const lines = flags.json
      ? [JSON.stringify({ rows: matrix.rows, missing, tried, clusters })]
      : describeClusters(clusters, context.stdout.columns ?? 120);
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    display.end();
    await copy.close();
  }
}

/** Describes the choice of `--k auto`; empty if a number was given. */
export function describeTried(tried: readonly CountScore[], chosen: number): string[] {
  const best = tried.find(({ clusters }) => clusters === bestCount(tried));
  if (best === undefined) return [];
  const isLast = best === tried.at(-1);
  return [
    `--k auto: ${formatNoun(chosen, 'cluster')}, silhouette ${best.silhouette.toFixed(2)}` +
      (isLast ? ', the largest number tried; check whether more or fewer clusters are more useful' : ''),
  ];
}

async function* rowsOf(
  ids: readonly string[],
  { assignments, cosines }: { assignments: Int32Array; cosines: Float32Array },
  cells: AsyncIterable<CsvCell[]>,
): AsyncGenerator<CsvCell[]> {
  let row = 0;
  for await (const copied of cells) {
    yield [ids[row]!, assignments[row]!, cosines[row]!.toFixed(4), ...copied];
    row += 1;
  }
}

function* summaryRows(clusters: readonly ClusterSummary[]): Generator<(string | number)[]> {
  for (const { cluster, rows, cohesion, terms, representatives } of clusters) {
    const shown = representatives.map(({ id, text }) => text ?? id);
    yield [cluster, rows, cohesion.toFixed(4), terms.join(' '), shown.join(' | ')];
  }
}

/** A table, one line per cluster. */
export function describeClusters(clusters: readonly ClusterSummary[], columns: number): string[] {
  const cells = clusters.map(({ cluster, rows, cohesion, terms, representatives }) => [
    String(cluster),
    formatCount(rows),
    cohesion.toFixed(2),
    terms.length > 0 ? terms.join(' ') : representatives.map(({ id, text }) => text ?? id).join(' | '),
  ]);
  const named = clusters.some(({ terms }) => terms.length > 0);
  const head = ['CLUSTER', 'ROWS', 'COHESION', named ? 'KEY TERMS' : 'NEAREST TO THE CENTROID'];
  return formatTable(
    [head, ...cells].map((row) => [...row.slice(0, 3), cutLine(row[3]!, Math.max(20, columns - 30))]),
    [0, 1, 2],
  );
}

/** Parses a number of clusters; `auto` becomes `null`. */
function clusterCount(given: string): number | null {
  if (given === 'auto') return null;
  const value = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected auto or a whole number of at least 1.');
}
