/**
 * Pulls models that a command names and that are not installed, when that is allowed: by `--pull`, by
 * `EMBEDMILL_PULL`, or by the person at the terminal.
 */

import { createInterface } from 'node:readline/promises';
import { type Config, readConfig } from '@embedmill/core/process';
import { isMissing, notInstalled, pullModel } from '@embedmill/worker/pull-model';
import type { CommandContext } from '../../shell/context.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { formatBytes } from '../../shell/terminal/numbers.ts';
import { openPullDisplay } from './pull-display.ts';

/** The options that decide, as commander passes them. */
export interface PullFlags {
  model?: string | readonly string[];
  server?: string;
  pull?: true;
  quiet?: true;
  precision?: unknown;
}

/**
 * Installs the models that are missing. With `--server`, models are on the machines of its workers.
 * @throws {UsageError} with the command that pulls the model, when pulling is not allowed
 */
export async function installMissing(flags: PullFlags, context: CommandContext): Promise<void> {
  if (flags.server !== undefined) return;
  const config = readConfig(context.environment);
  const named = [flags.model ?? config.model ?? []].flat();
  for (const given of named) {
    // `eval` takes a precision behind the name.
    const [, model = given, precision = flags.precision] = /^(.+)@(int8|fp32)$/.exec(given) ?? [];
    if (!isMissing(model, config)) continue;
    if (!(await mayPull(model, flags, config, context)))
      throw new UsageError(notInstalled(model, config).message);
    const display = openPullDisplay(context.stderr, flags.quiet ?? false);
    try {
      const { name, commit, bytes } = await pullModel({
        model,
        precision: precision === 'fp32' ? 'fp32' : 'int8',
        config,
        onProgress: (progress) => display.show(progress),
        signal: interruptionSignal(() => {
          display.end();
          context.stderr.write('Stopping; run the same command again to continue.\n');
        }),
      });
      display.end();
      if (!flags.quiet) context.stderr.write(`Pulled ${name} at commit ${commit} (${formatBytes(bytes)}).\n`);
    } finally {
      display.end();
    }
  }
}

async function mayPull(
  model: string,
  { pull }: PullFlags,
  config: Pick<Config, 'pull' | 'hubEndpoint'>,
  { stdin, stderr }: CommandContext,
): Promise<boolean> {
  if (pull === true || config.pull === 'always') return true;
  const isTerminal = stderr.isTTY === true && 'isTTY' in stdin && stdin.isTTY === true;
  if (config.pull === 'never' || !isTerminal) return false;
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await lines.question(
      `The model ${model} is not installed. Pull it from ${config.hubEndpoint}? [Y/n] `,
    );
    return /^(y|yes|)$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
