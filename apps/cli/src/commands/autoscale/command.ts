/** `embedmill autoscale`: as many workers of a Docker Compose project as the backlog asks for. */

import { availableParallelism } from 'node:os';
import { EmbedmillClient } from '@embedmill/client';
import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, Interrupted, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, wholeNumber } from '../../shell/options.ts';
import { ComposeService } from './compose.ts';
import { pretend } from './dry-run.ts';
import { follow } from './follow.ts';

interface AutoscaleFlags {
  /** Path of the compose file; `true` without one. */
  compose: string | true;
  server?: string;
  project?: string;
  service: string;
  min: number;
  max?: number;
  coolDown: number;
  every: number;
  dryRun?: true;
}

const SECOND = 1000;

/** Adds the command; `end` receives its exit code. */
export function addAutoscaleCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('autoscale')
    .summary('add and remove workers of a compose project')
    .description(
      'Follows GET /v1/scale of a producer and sets the number of workers of a Docker Compose project, until Ctrl-C. ' +
        'Scales out at once, and in when fewer workers were wanted for a while.',
    )
    .requiredOption('--compose [file]', 'the compose file (default: the one in this folder)')
    .option('--project <name>', "the compose project (default: Compose's own choice)")
    .option('--service <name>', 'the service that is the worker', 'worker')
    .option('--server <url>', 'the producer (default: http://127.0.0.1:$PORT)')
    .option('--min <n>', 'never fewer workers', wholeNumber(0), 1)
    .option('--max <n>', 'never more workers (default: the CPUs of this machine)', wholeNumber(1))
    .option('--cool-down <seconds>', 'how long fewer must be wanted', wholeNumber(0), 120)
    .option('--every <seconds>', 'pause between two looks', wholeNumber(1), 5)
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText(
      'after',
      examples(
        ['embedmill autoscale --compose', 'the project of this folder, 1 worker to one per CPU'],
        ['embedmill autoscale --compose --min 0 --cool-down 600', 'none after ten minutes without work'],
        ['embedmill autoscale --compose infra/mill.yaml --max 8 --dry-run', 'only say what would be done'],
      ),
    )
    .action(async (flags: AutoscaleFlags) => end(await autoscale(flags, context)));
}

async function autoscale(flags: AutoscaleFlags, { environment, stderr }: CommandContext): Promise<ExitCode> {
  const { min: least, max: most = Math.max(least, availableParallelism()) } = flags;
  if (least > most) throw new UsageError(`--min ${least} is more than --max ${most}`);
  const onNote = (line: string) => stderr.write(`${new Date().toLocaleTimeString('sv-SE')} ${line}\n`);
  const signal = interruptionSignal(() => onNote('Stopping; the workers stay as they are.'));
  const { port, apiKey } = readConfig(environment);
  const server = flags.server ?? `http://127.0.0.1:${port}`;
  const service = await ComposeService.find({
    file: flags.compose === true ? undefined : flags.compose,
    project: flags.project,
    service: flags.service,
    environment,
  });
  onNote(`${least} to ${most} workers (service "${flags.service}") for ${server}; Ctrl-C stops.`);
  try {
    return await follow({
      client: new EmbedmillClient({ url: server, signal, apiKey }),
      service: flags.dryRun ? pretend(service, onNote) : service,
      limits: { least, most, coolDownMs: flags.coolDown * SECOND },
      everyMs: flags.every * SECOND,
      onNote,
      signal,
    });
  } catch (error) {
    // Ctrl-C is how this command is meant to end.
    if (error instanceof Interrupted) return EXIT.ok;
    throw error;
  }
}
