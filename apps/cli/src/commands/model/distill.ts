/** `embedmill model distill`: makes a static model from another model. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BUILT_IN_MODEL, type Precision, quote } from '@embedmill/contract';
import { type Config, readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, precisionOption, wholeNumber } from '../../shell/options.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';

/** Dimensions of the static model; all 384 of the built-in model improve it by 0.001 (decision 0172). */
const DEFAULT_DIM = 256;

const EXPLANATION = `
Embeds each token of the vocabulary alone, which takes about 10 s for a small
BERT model, and stores one vector per token. A text is then the mean of the
vectors of its tokens: far faster than the model, and less accurate. The folder
has the layout of model2vec. The static model of ${BUILT_IN_MODEL} is built
in: --model static.
`;

interface DistillFlags {
  to: string;
  dim: number;
  precision: Precision;
  json?: true;
  quiet?: true;
}

/** Adds the command to `model`; `end` receives its exit code. */
export function addDistillCommand(
  model: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  model
    .command('distill')
    .summary('make a static model')
    .description('Make a static model from another model.')
    .argument('<model>', `name or folder of a model, such as ${BUILT_IN_MODEL}`)
    .requiredOption('--to <folder>', 'folder of the static model; must not exist')
    .option('--dim <number>', 'dimensions of its vectors', wholeNumber(1), DEFAULT_DIM)
    .addOption(precisionOption())
    .option('--json', 'print a JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill model distill bge-small --to models/bge-static', 'from an added model'],
          ['embedmill model add models/bge-static', 'then --model bge-static'],
        ),
    )
    .action(async (given: string, flags: DistillFlags) => {
      const made = await distillModel(given, flags, context, readConfig(context.environment));
      const { folder, tokens, dim } = made;
      const line = `wrote a static model of ${tokens.toLocaleString('en')} tokens with ${dim} dimensions to ${folder}`;
      context.stdout.write(`${flags.json ? JSON.stringify(made) : line}\n`);
      end(EXIT.ok);
    });
}

async function distillModel(
  given: string,
  { to, dim, precision, quiet }: DistillFlags,
  context: CommandContext,
  { engine, kernel, cacheDir }: Pick<Config, 'engine' | 'kernel' | 'cacheDir'>,
): Promise<{ folder: string; tokens: number; dim: number }> {
  const folder = resolve(to);
  if (existsSync(folder)) throw new UsageError(`--to ${quote(to, 200)} exists; expected a new folder`);
  const signal = interruptionSignal(() => {});
  const { distill, Embedder, EmbedError, prepareModel, writeStaticFolder } = await import('@embedmill/embed');
  const source = await prepareModel({ model: given, precision, engine, kernel, cacheDir });
  if (source.engine === 'static') {
    throw new EmbedError('MODEL_UNSUPPORTED', `${source.name} is a static model already`);
  }
  const embedder = await Embedder.open(source);
  const display = displayFor(context, quiet ?? false);
  let count: ((done: number) => void) | undefined;
  try {
    const distilled = await distill(embedder, {
      dim,
      onProgress: async (done, all) => {
        count ??= countRows(display, all);
        count(done);
        // The model blocks the thread; this lets signals and the progress bar run.
        await setImmediate();
        signal.throwIfAborted();
      },
    });
    await writeStaticFolder(folder, distilled, source);
    return { folder, tokens: distilled.rows.length / dim, dim };
  } finally {
    display.end();
    await embedder.close();
  }
}
