/**
 * Pulls models that a command names and that are not installed, when that is allowed: by `--pull`, by
 * `EMBEDMILL_PULL`, or by the person at the terminal.
 */

import { createInterface } from 'node:readline/promises';
import { type Config, readConfig } from '@embedmill/core/process';
import { isMissing, notInstalled } from '@embedmill/worker/pull-model';
import { splitPrecision } from '../../engine/embedder/model-options.ts';
import type { CommandContext } from '../../shell/context.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { formatBytes } from '../../shell/terminal/numbers.ts';
import { pullWithDisplay } from './pull-display.ts';

/** The options that decide, as commander passes them. */
export interface PullFlags {
  model?: string | readonly string[];
  rerank?: string;
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
  const named = [flags.model ?? config.model ?? [], flags.rerank ?? []].flat();
  for (const given of named) {
    // `eval` and `--rerank` take a precision behind the name.
    const { model, precision = flags.precision } = splitPrecision(given);
    if (!isMissing(model, config)) continue;
    if (!(await mayPull(model, flags, config, context)))
      throw new UsageError(notInstalled(model, config).message);
    const options = { model, precision: precision === 'fp32' ? 'fp32' : 'int8', config } as const;
    const { name, commit, bytes } = await pullWithDisplay(options, context.stderr, flags.quiet ?? false);
    if (!flags.quiet) context.stderr.write(`Pulled ${name} at commit ${commit} (${formatBytes(bytes)}).\n`);
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
