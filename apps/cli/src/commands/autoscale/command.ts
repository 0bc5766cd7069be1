/** `embedmill autoscale`: scales the workers of a Docker Compose project with the backlog. */

import { availableParallelism } from 'node:os';
import { EmbedmillClient } from '@embedmill/client';
import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, Interrupted, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, localProducerUrl, producerOption, wholeNumber } from '../../shell/options.ts';
import { ComposeService } from './compose.ts';
import { dryRun } from './dry-run.ts';
import { follow } from './follow.ts';

interface AutoscaleFlags {
  /** Path of the compose file; `true` if the option has no value. */
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

/** Adds the command; `end` receives its exit code. */
export function addAutoscaleCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('autoscale')
    .summary('scale workers of a Compose project')
    .description(
      'Set the number of workers of a Docker Compose project according to GET /v1/scale of a producer, until Ctrl-C. ' +
        'Scale out at once, and in after the cool-down.',
    )
    .requiredOption('--compose [file]', 'compose file (default: the one in this folder)')
    .option('--project <name>', 'compose project (default: chosen by Compose)')
    .option('--service <name>', 'service of the workers', 'worker')
    .addOption(producerOption(context.environment))
    .option('--min <n>', 'minimum workers', wholeNumber(0), 1)
    .option('--max <n>', 'maximum workers (default: number of CPUs)', wholeNumber(1))
    .option('--cool-down <seconds>', 'time of lower demand before scaling in', wholeNumber(0), 120)
    .option('--every <seconds>', 'pause between two checks', wholeNumber(1), 5)
    .option('--dry-run', 'print the commands instead of running them')
    .addHelpText(
      'after',
      examples(
        ['embedmill autoscale --compose', 'the project in this folder, 1 worker to one per CPU'],
        ['embedmill autoscale --compose --min 0 --cool-down 600', 'no worker after 10 idle minutes'],
        ['embedmill autoscale --compose infra/mill.yaml --max 8 --dry-run', 'print commands only'],
      ),
    )
    .action(async (flags: AutoscaleFlags) => end(await autoscale(flags, context)));
}

async function autoscale(flags: AutoscaleFlags, { environment, stderr }: CommandContext): Promise<ExitCode> {
  const { min, max = Math.max(min, availableParallelism()) } = flags;
  if (min > max) throw new UsageError(`--min ${min} is greater than --max ${max}`);
  const onNote = (line: string) => stderr.write(`${new Date().toLocaleTimeString('sv-SE')} ${line}\n`);
  const signal = interruptionSignal(() => onNote('Stopping; the number of workers is unchanged.'));
  const { port, apiKey } = readConfig(environment);
  const server = flags.server ?? localProducerUrl(port);
  const service = await ComposeService.find({
    file: flags.compose === true ? undefined : flags.compose,
    project: flags.project,
    service: flags.service,
    environment,
  });
  onNote(`${min} to ${max} workers (service "${flags.service}") for ${server}; press Ctrl-C to stop.`);
  try {
    return await follow({
      client: new EmbedmillClient({ url: server, signal, apiKey }),
      service: flags.dryRun ? dryRun(service, onNote) : service,
      limits: { min, max, coolDownMs: flags.coolDown * 1000 },
      everyMs: flags.every * 1000,
      onNote,
      signal,
    });
  } catch (error) {
    // Ctrl-C is the normal end of this command.
    if (error instanceof Interrupted) return EXIT.ok;
    throw error;
  }
}
