/** `embedmill status`: what a producer, its workers and its runs are doing, what is wrong, and what ends it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EmbedmillClient } from '@embedmill/client';
import { asError } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, Interrupted } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, localProducerUrl, producerOption } from '../../shell/options.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { describeStatus, type Status, unreachable } from './describe.ts';

interface StatusFlags {
  server?: string;
  watch?: true;
  json?: true;
}

/** Pause between two readings with `--watch`. */
const WATCH_MS = 2_000;

/** Moves the cursor to the upper left corner and clears the screen (ECMA-48, CUP and ED). */
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** Adds the command; `end` receives its exit code. */
export function addStatusCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('status')
    .summary('show what is wrong with a producer')
    .description(
      'Show the health of a producer on one screen: its state, each problem with what ends it, its workers and its active ' +
        'runs. Exit code 1 unless the state is ok.',
    )
    .addOption(producerOption(context.environment))
    .option('--watch', 'show it again every 2 s, until Ctrl-C')
    .option('--json', 'print JSON; with --watch one line per reading')
    .addHelpText(
      'after',
      examples(
        ['embedmill status', 'the producer on this machine'],
        ['embedmill status --server http://mill:8080 --watch', 'until Ctrl-C'],
        ['embedmill status --json | jq .health.problems', 'for programs'],
      ),
    )
    .action(async (flags: StatusFlags) => end(await showStatus(flags, context)));
}

async function showStatus(flags: StatusFlags, { environment, stdout }: CommandContext): Promise<ExitCode> {
  const { port, apiKey } = readConfig(environment);
  const server = flags.server ?? localProducerUrl(port);
  const signal = interruptionSignal(() => {});
  const client = new EmbedmillClient({ url: server, apiKey, signal });
  const paint = paintFor(stdout, environment);
  const screen = flags.watch && stdout.isTTY ? CLEAR_SCREEN : '';
  try {
    for (;;) {
      const status = await readStatus(client, server);
      if (flags.json) stdout.write(`${JSON.stringify(status)}\n`);
      else stdout.write(`${screen}${describeStatus(status, paint).join('\n')}\n`);
      if (!flags.watch) return status.health.state === 'ok' ? EXIT.ok : EXIT.failure;
      await sleep(WATCH_MS, undefined, { signal });
    }
  } catch (error) {
    // Ctrl-C is the normal end of --watch.
    if (flags.watch && error instanceof Interrupted) return EXIT.ok;
    throw error;
  }
}

/**
 * Reads the status. A producer that does not answer is a status, too.
 * @throws {ApiError} `unauthorized` and `forbidden`
 */
async function readStatus(client: EmbedmillClient, server: string): Promise<Status> {
  try {
    const health = await client.getHealth();
    // Scale and runs are unknown while Redis or the data folder is unavailable.
    const [alerts, scale, open, sealed, storage] = await Promise.all([
      client.listAlerts().catch(() => null),
      client.getScale().catch(() => null),
      client.listRuns({ state: 'open' }).catch(() => null),
      client.listRuns({ state: 'sealed' }).catch(() => null),
      client.getStorage().catch(() => null),
    ]);
    const runs = open === null || sealed === null ? null : [...open, ...sealed];
    return {
      server,
      health,
      alerts,
      scale,
      runs: runs?.sort((a, b) => (a.id < b.id ? 1 : -1)) ?? null,
      storage,
    };
  } catch (thrown) {
    const error = asError(thrown);
    const code = 'code' in error ? error.code : undefined;
    if (error instanceof Interrupted || code === 'unauthorized' || code === 'forbidden') throw error;
    return {
      server,
      health: unreachable(server, error),
      alerts: null,
      scale: null,
      runs: null,
      storage: null,
    };
  }
}
