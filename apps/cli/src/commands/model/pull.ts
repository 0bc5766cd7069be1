/** `embedmill model pull`: downloads a model from a hub and installs it. */

import type { Precision } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { examples } from '../../shell/options.ts';
import { formatBytes } from '../../shell/terminal/numbers.ts';
import { pullWithDisplay } from './pull-display.ts';

const EXPLANATION = `
Only the settings and one file of weights are fetched: for int8
onnx/model_quantized.onnx, else model.safetensors of a BERT, which serves both
precisions, else onnx/model.onnx. Every file is checked against the digest that
the hub lists. The revision is pinned to its commit ("model info" shows it).
An interrupted pull continues when the command is run again.

Environment: HF_ENDPOINT (a mirror, or a producer), HF_TOKEN (private models),
HF_HOME and HF_HUB_CACHE (a cache of other tools, reused), HF_HUB_OFFLINE.
`;

interface PullCommandFlags {
  name?: string;
  precision: Precision;
  offline?: true;
  quiet?: true;
  json?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addPullCommand(model: Command, context: CommandContext, end: (code: ExitCode) => void): void {
  model
    .command('pull')
    .summary('download and install a model')
    .description('Download a model from the model hub, check it and install it.')
    .argument('<model>', 'owner/name, owner/name@revision, or a short name of the catalogue')
    .option('--name <name>', 'name of the model (default: the part after the slash)')
    .addOption(
      new Option('--precision <precision>', 'precision whose weights are fetched')
        .choices(['int8', 'fp32'])
        .default('int8'),
    )
    .option('--offline', 'use only the cache of other tools (HF_HOME)')
    .option('--quiet', 'print errors only')
    .option('--json', 'print a JSON object')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill model pull multilingual', 'a model of the catalogue'],
          ['embedmill model pull intfloat/multilingual-e5-small', 'the same by its repository'],
          ['HF_ENDPOINT=https://hf-mirror.com embedmill model pull chinese', 'from a mirror'],
          ['HF_ENDPOINT=http://mill:8080/hub embedmill model pull models/e5', 'from a producer'],
        ),
    )
    .action(async (given: string, flags: PullCommandFlags) => {
      const config = readConfig({
        ...context.environment,
        ...(flags.offline && { HF_HUB_OFFLINE: '1' }),
      });
      const { name: wanted, precision } = flags;
      const options = { model: given, name: wanted, precision, config };
      const pulled = await pullWithDisplay(options, context.stderr, flags.quiet ?? false);
      const { name, repository, commit, bytes, reusedBytes, folder, unavailable } = pulled;
      const reused =
        reusedBytes === 0 ? '' : `, ${formatBytes(reusedBytes)} of them from the cache of other tools`;
      const lines = [
        `pulled ${repository} at commit ${commit} (${formatBytes(bytes)}${reused})`,
        `installed as ${name} in ${folder}`,
        ...unavailable.map(({ precision, reason }) => `no ${precision}: ${reason}`),
      ];
      context.stdout.write(flags.json ? `${JSON.stringify(pulled)}\n` : `${lines.join('\n')}\n`);
      end(EXIT.ok);
    });
}
