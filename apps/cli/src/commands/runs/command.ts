/** `embedmill runs`: lists, shows, cancels or deletes the runs of a producer, and repairs damaged ones on disk. */

import { existsSync } from 'node:fs';
import { EmbedmillClient } from '@embedmill/client';
import { quote, RequestError, type RunInfo } from '@embedmill/contract';
import { FolderOwner, readConfig } from '@embedmill/core/process';
import { type RepairReport, repairRuns } from '@embedmill/core/runs';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, localProducerUrl, producerOption } from '../../shell/options.ts';
import { printable } from '../../shell/terminal/lines.ts';
import { formatClock, formatCount, formatRate } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';

interface RunsFlags {
  server?: string;
  json?: true;
}

/** The work of a subcommand; returns lines for people and a JSON value for programs. */
type RunsWork = (client: EmbedmillClient, id: string) => Promise<{ lines: string[]; value: unknown }>;

/** Adds the command; `end` receives its exit code. */
export function addRunsCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const runs = program
    .command('runs')
    .summary('show, cancel, delete or repair runs')
    .description('List, show, cancel or delete the runs of a producer, or repair runs on disk.')
    .helpCommand(false)
    .addHelpText(
      'after',
      examples(
        ['embedmill runs list', 'runs of the producer on this machine'],
        ['embedmill runs show r0mk3… --server http://mill:8080', 'a run of another producer'],
        ['embedmill runs list --json | jq .[0].id', 'for programs'],
      ),
    );
  const add = (usage: string, description: string, example: string, work: RunsWork) =>
    runs
      .command(usage)
      .summary(description)
      .description(`${description[0]?.toUpperCase()}${description.slice(1)}.`)
      .addOption(producerOption(context.environment))
      .option('--json', 'print JSON')
      .addHelpText('after', examples([`embedmill runs ${example}`, 'on this machine']))
      .action(async (...given: unknown[]) => {
        const flags = given.at(-2) as RunsFlags;
        const { port, apiKey } = readConfig(context.environment);
        const url = flags.server ?? localProducerUrl(port);
        const client = new EmbedmillClient({ url, apiKey, signal: interruptionSignal(() => {}) });
        const { lines, value } = await work(client, given.length > 2 ? String(given[0]) : '');
        context.stdout.write(
          flags.json ? `${JSON.stringify(value)}\n` : lines.map((line) => `${printable(line)}\n`).join(''),
        );
        end(EXIT.ok);
      });

  add('list', 'list runs, newest first', 'list', async (client) => {
    const all = await client.listRuns();
    return { lines: all.length === 0 ? ['no runs'] : describeRuns(all), value: all };
  });
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
    run.options.precision,
    localTime(run.createdAt),
    run.options.name ?? '',
  ]);
  return formatTable(
    [['RUN', 'STATE', 'ROWS', 'DONE', 'ROWS/S', 'PRECISION', 'CREATED', 'NAME'], ...rows],
    [2, 3, 4],
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
  ]);
}

/** Formats as `2026-03-01 14:05:09` in the local time zone. */
function localTime(iso: string): string {
  return new Date(iso).toLocaleString('sv-SE');
}
