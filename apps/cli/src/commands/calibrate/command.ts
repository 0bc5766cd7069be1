/** `embedmill calibrate`: finds the similarity threshold for "same". */

import { basename } from 'node:path';
import { CALIBRATION_DEFAULTS, calibrate } from '@embedmill/analysis';
import { type Config, readConfig } from '@embedmill/core/process';
import { type Command, InvalidArgumentError } from 'commander';
import { type EmbedderFlags, openEmbedder } from '../../engine/embedder/open.ts';
import { scorePairs } from '../../engine/embedder/score-pairs.ts';
import { checkBothLabels, type PairFields, readLabelledPairs } from '../../io/records/read-pairs.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { embedderOptions, examples, fraction, repeatable, wholeNumber } from '../../shell/options.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { describeCalibration } from './describe.ts';
import { checkPlotPath, savePlot } from './save-plot.ts';

const EXPLANATION = `
PAIRS is a file in any format of embedmill embed with two texts and a label: 1,
true, yes or same; 0, false, no or different. Graded labels (numbers) need
--same-from. Use at least 200 pairs.

Thresholds have bootstrap intervals; the same pairs and seed give the same
figures. They are valid for one treatment (--clean, --long, --prompt,
--glossary), model and precision.
`;

interface CalibrateFlags extends Omit<PairFields, 'sameFrom'>, EmbedderFlags {
  sameFrom?: number;
  wantRecall: number;
  wantPrecision: number;
  samples: number;
  seed: number;
  plot: string[];
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addCalibrateCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const { recall, precision, samples, seed } = CALIBRATION_DEFAULTS;
  const command = program
    .command('calibrate')
    .summary('find the threshold for "same"')
    .description('Find the similarity threshold for "same" from labelled pairs of texts.')
    .argument('<pairs>', 'file of labelled pairs')
    .option('--a <field>', 'field or column with the first text', 'a')
    .option('--b <field>', 'field or column with the second text', 'b')
    .option('--label <field>', 'field or column with the label', 'label')
    .option('--same-from <number>', 'minimum numeric label of "same"', number)
    .option('--want-recall <fraction>', 'target recall', fraction, recall)
    .option('--want-precision <fraction>', 'target precision', fraction, precision)
    .option('--samples <n>', 'bootstrap samples', wholeNumber(1), samples)
    .option('--seed <n>', 'random seed', wholeNumber(0), seed)
    .addOption(repeatable('--plot <file>', 'draw curve and scores as .svg or .png; repeatable', 'none'))
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of [...embedderOptions(context.environment), ...treatmentOptions()])
    command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill calibrate pairs.csv --plot pairs.png', 'thresholds and a picture'],
          ['embedmill calibrate pairs.csv --want-recall 0.99 --json > thresholds.json', 'for programs'],
          ['embedmill calibrate sts.jsonl --label score --same-from 4', 'graded labels'],
        ),
    )
    .action(async (pairs: string, flags: CalibrateFlags) => {
      await calibrateCommand(pairs, flags, context, readConfig(context.environment));
      end(EXIT.ok);
    });
}

async function calibrateCommand(
  path: string,
  flags: CalibrateFlags,
  context: CommandContext,
  config: Config,
): Promise<void> {
  for (const plot of flags.plot) checkPlotPath(plot);
  const signal = interruptionSignal(() => {});
  const pairs = await readLabelledPairs(path, { ...flags, sameFrom: flags.sameFrom ?? null });
  const display = displayFor(context, flags.quiet ?? false);
  const embedder = await openEmbedder(flags, { config, inputType: 'document', signal });
  try {
    let show: ((done: number) => void) | null = null;
    const scores = await scorePairs(pairs, embedder, (done, total) => {
      show ??= countRows(display, total);
      show(done);
    });
    display.end();
    const scored = pairs.flatMap(({ same }, n) => {
      const score = scores[n];
      return score == null ? [] : [{ score, same }];
    });
    const unscored = pairs.length - scored.length;
    checkBothLabels(scored, path);
    const found = calibrate(scored, {
      recall: flags.wantRecall,
      precision: flags.wantPrecision,
      samples: flags.samples,
      seed: flags.seed,
    });
    const skipped = `skipped ${formatNoun(unscored, 'pair')} with a text without a vector, such as a blank one`;
    const calibration = unscored === 0 ? found : { ...found, warnings: [skipped, ...found.warnings] };
    if (flags.plot.length > 0) {
      const { drawCalibration } = await import('./plot.ts');
      const svg = drawCalibration(
        calibration,
        `${basename(path)}: ${formatNoun(scored.length, 'pair')}, ${embedder.name}`,
      );
      for (const plot of flags.plot) await savePlot(plot, svg);
    }
    const { name: model, baseline } = embedder;
    const lines = flags.json
      ? [JSON.stringify({ model, ...(baseline && { baseline }), ...calibration })]
      : [
          ...describeCalibration(calibration, paintFor(context.stdout, context.environment)),
          ...(baseline === undefined
            ? []
            : [`Unrelated texts of ${model}: ${baseline.mean.toFixed(3)} ± ${baseline.spread.toFixed(3)}.`]),
        ];
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    display.end();
    await embedder.close();
  }
}

function number(given: string): number {
  const value = Number(given);
  if (given.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}
