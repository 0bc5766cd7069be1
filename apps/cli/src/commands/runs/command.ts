/** `embedmill runs`: lists, shows, cancels, deletes, exports and imports the runs of a producer, and repairs damaged ones on disk. */

import { existsSync } from 'node:fs';
import { EmbedmillClient } from '@embedmill/client';
import { quote, RequestError, type RunInfo, type RunState } from '@embedmill/contract';
import { FolderOwner, readConfig } from '@embedmill/core/process';
import { type RepairReport, repairRuns } from '@embedmill/core/runs';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, localProducerUrl, producerOption, wholeNumber } from '../../shell/options.ts';
import { printable } from '../../shell/terminal/lines.ts';
import { formatBytes, formatClock, formatCount, formatRate } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { exportToFile, importFromFile } from './archive.ts';
import { age, describePrune, FINISHED_STATES, finishedStates, pruneRuns } from './prune.ts';

const RUN_STATES = [
  'open',
  'sealed',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly RunState[];

interface RunsFlags {
  server?: string;
  json?: true;
}

interface ListFlags {
  limit?: number;
  state?: RunState;
}

interface PruneFlags {
  olderThan?: number;
  state?: RunState[];
  dryRun?: true;
  yes?: true;
}

interface ArchiveFlags {
  to?: string;
  force?: true;
  asNew?: true;
}

/** The work of a subcommand; returns lines for people and a JSON value for programs. */
type RunsWork<Flags> = (
  client: EmbedmillClient,
  argument: string,
  flags: Flags,
) => Promise<{ lines: string[]; value: unknown }>;

/** Adds the command; `end` receives its exit code. */
export function addRunsCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const runs = program
    .command('runs')
    .summary('show, delete, export or repair runs')
    .description(
      'List, show, cancel, delete, export or import the runs of a producer, or repair runs on disk.',
    )
    .helpCommand(false)
    .addHelpText(
      'after',
      examples(
        ['embedmill runs list', 'runs of the producer on this machine'],
        ['embedmill runs show r0mk3… --server http://mill:8080', 'a run of another producer'],
        ['embedmill runs list --json | jq .[0].id', 'for programs'],
      ),
    );
  const add = <Flags = object>(usage: string, description: string, example: string, work: RunsWork<Flags>) =>
    runs
      .command(usage)
      .summary(description)
      .description(`${description[0]?.toUpperCase()}${description.slice(1)}.`)
      .addOption(producerOption(context.environment))
      .option('--json', 'print JSON')
      .addHelpText('after', examples([`embedmill runs ${example}`, 'on this machine']))
      .action(async (...given: unknown[]) => {
        const flags = given.at(-2) as RunsFlags & Flags;
        const { port, apiKey } = readConfig(context.environment);
        const url = flags.server ?? localProducerUrl(port);
        const client = new EmbedmillClient({ url, apiKey, signal: interruptionSignal(() => {}) });
        const { lines, value } = await work(client, given.length > 2 ? String(given[0]) : '', flags);
        context.stdout.write(
          flags.json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${printable(line)}\n`).join(''),
        );
        end(EXIT.ok);
      });

  add<ListFlags>('list', 'list runs, newest first', 'list', async (client, _, { limit, state }) => {
    const all = await client.listRuns({ limit, state });
    return { lines: all.length === 0 ? ['no runs'] : describeRuns(all), value: all };
  })
    .addOption(new Option('--limit <n>', 'maximum runs (default: all)').argParser(wholeNumber(1)))
    .addOption(new Option('--state <state>', 'runs in this state only').choices(RUN_STATES));
  add('show <id>', 'show a run', 'show r0mk3…', async (client, id) => {
    const run = await client.getRun(id);
    return { lines: describeRun(run), value: run };
  });
  add('cancel <id>', 'cancel a run and keep its stored vectors', 'cancel r0mk3…', async (client, id) => {
    const run = await client.cancel(id);
    return { lines: [`${run.id} is ${run.state}`], value: run };
  });
  add('delete <id>', 'cancel a run and delete its files', 'delete r0mk3…', async (client, id) => {
    await client.delete(id);
    return { lines: [`${id} is deleted`], value: { id, deleted: true } };
  });
  add<PruneFlags>(
    'prune',
    'delete finished runs by age and state',
    'prune --older-than 30d --dry-run',
    async (client, _, { olderThan, state, dryRun, yes }) => {
      const options = { olderThanMs: olderThan, states: state, dryRun: dryRun ?? false, yes: yes ?? false };
      const result = await pruneRuns(client, options, context);
      return { lines: describePrune(result), value: result };
    },
  )
    .addOption(
      new Option('--older-than <age>', 'minimum time since their end, such as 30d or 12h').argParser(age),
    )
    .addOption(
      new Option(
        '--state <states>',
        `states, separated by commas (default: ${FINISHED_STATES.join(',')})`,
      ).argParser(finishedStates),
    )
    .option('--dry-run', 'list the runs and delete nothing')
    .option('--yes', 'delete without a question');
  add<ArchiveFlags>(
    'export <id>',
    'save a finished run as one file',
    'export r0mk3… --to reviews.embedmill',
    async (client, id, { to, force }) => {
      const file = await exportToFile(client, id, { path: to, force: force ?? false });
      return {
        lines: [`${id} is saved in ${file.path} (${formatBytes(file.bytes)})`],
        value: { id, ...file },
      };
    },
  )
    .option('--to <file>', 'file to write (default: <id>.embedmill)')
    .option('--force', 'replace the file if it exists');
  add<ArchiveFlags>(
    'import <file>',
    'add a run from a file of runs export',
    'import reviews.embedmill',
    async (client, path, { asNew }) => {
      const run = await importFromFile(client, path, { asNew: asNew ?? false });
      return { lines: [`${run.id} is imported (${formatBytes(run.bytes)})`], value: run };
    },
  ).option('--as-new', 'give the run a new id');
  addRepair(runs, context, end);
}

/** Adds `runs repair`, which works on the data folder itself, without a producer. */
function addRepair(runs: Command, context: CommandContext, end: (code: ExitCode) => void): void {
  runs
    .command('repair [id]')
    .summary('rebuild damaged runs on disk')
    .description(
      'Rebuild the ledger of damaged runs from their rows and shards. Works on $EMBEDMILL_DATA_DIR while no producer ' +
        'runs on it. Nothing is deleted: replaced files are kept with the suffix .damaged-1.',
    )
    .option('--seal', 'the rows on disk are all rows of the run, if its ledger no longer tells')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        ['embedmill runs repair', 'all runs of the data folder'],
        ['embedmill runs repair r0mk3… --seal', 'a run whose input was complete'],
      ),
    )
    .action(async (id: string | undefined, flags: { seal?: true; json?: true }) => {
      const { dataDir, redisUrl } = readConfig(context.environment);
      if (!existsSync(dataDir))
        throw new RequestError('not-found', `there is no data folder ${quote(dataDir, 200)}`);
      const owner = await FolderOwner.claim({
        folder: dataDir,
        redisUrl: redisUrl ?? 'none',
        signal: interruptionSignal(() => {}),
        onWait: (message) => void context.stderr.write(`${message}\n`),
      });
      const reports: RepairReport[] = [];
      try {
        const assertWritable = () => owner.assertOwned();
        for await (const report of repairRuns({ dataDir, run: id, seal: flags.seal, assertWritable })) {
          reports.push(report);
          if (!flags.json) context.stdout.write(describeRepair(report));
        }
      } finally {
        await owner.release();
      }
      if (flags.json) context.stdout.write(`${JSON.stringify(reports)}\n`);
      end(reports.some(({ outcome }) => outcome === 'kept') ? EXIT.failure : EXIT.ok);
    });
}

function describeRepair({ run, outcome, notes }: RepairReport): string {
  const outcomes = {
    sound: 'is sound',
    repaired: 'is repaired',
    kept: 'cannot be repaired and is unchanged',
  };
  return `${run} ${outcomes[outcome]}\n${notes.map((note) => `  ${note}\n`).join('')}`;
}

/** A table, one line per run. */
export function describeRuns(runs: readonly RunInfo[]): string[] {
  const rows = runs.map((run) => [
    run.id,
    run.state,
    formatCount(run.rows.accepted),
    formatCount(run.rows.done),
    formatRate(run.rowsPerSecond),
    formatBytes(run.bytes),
    run.options.precision,
    localTime(run.createdAt),
    run.options.name ?? '',
  ]);
  return formatTable(
    [['RUN', 'STATE', 'ROWS', 'DONE', 'ROWS/S', 'SIZE', 'PRECISION', 'CREATED', 'NAME'], ...rows],
    [2, 3, 4, 5],
  );
}

/** A table of the properties of a run. */
export function describeRun(run: RunInfo): string[] {
  const { rows, batches, verdicts, options } = run;
  const counts = Object.entries(verdicts).filter(([, count]) => count > 0);
  return formatTable([
    ['run', run.id],
    ...(options.name === null ? [] : [['name', options.name]]),
    ['state', run.error === null ? run.state : `${run.state}: ${run.error}`],
    [
      'rows',
      `${formatCount(rows.done)} of ${formatCount(rows.accepted)} done, ${formatCount(rows.rejected)} rejected`,
    ],
    ['batches', `${formatCount(batches.stored)} of ${formatCount(batches.total)} stored`],
    [
      'verdicts',
      counts.map(([verdict, count]) => `${formatCount(count)} ${verdict}`).join(', ') || 'none yet',
    ],
    ['tokens', `${formatCount(run.tokens)}, ${formatCount(run.lostTokens)} truncated`],
    ...(run.languageSignal === null ? [] : [['language', run.languageSignal]]),
    ['speed', `${formatRate(run.rowsPerSecond)} rows/s, ${formatRate(run.tokensPerSecond)} tokens/s`],
    ...(run.etaSeconds === null ? [] : [['ETA', formatClock(run.etaSeconds)]]),
    [
      'model',
      `${options.model} ${options.precision}${run.fingerprint === null ? '' : `, ${run.fingerprint}`}`,
    ],
    ['created', localTime(run.createdAt)],
    ...(run.endedAt === null ? [] : [['ended', localTime(run.endedAt)]]),
    ['size', formatBytes(run.bytes)],
    ...(run.expiresAt === null ? [] : [['kept until', localTime(run.expiresAt)]]),
  ]);
}

/** Formats as `2026-03-01 14:05:09` in the local time zone. */
function localTime(iso: string): string {
  return new Date(iso).toLocaleString('sv-SE');
}
