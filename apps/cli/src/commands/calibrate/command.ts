/** `embedmill calibrate`: from which score on are two texts the same? */

import { basename } from 'node:path';
import { calibrate, calibrationDefaults } from '@embedmill/analysis';
import { type Config, readConfig } from '@embedmill/core/process';
import { type Command, InvalidArgumentError } from 'commander';
import { type EmbedderFlags, openEmbedder } from '../../engine/embedder/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { embedderOptions, examples, repeatable, wholeNumber } from '../../shell/options.ts';
import { countingOn, displayFor } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { describeCalibration } from './describe.ts';
import { checkBothKinds, type PairFields, readLabelledPairs } from './read-pairs.ts';
import { checkPlotPath, savePlot } from './save-plot.ts';
import { scorePairs } from './score-pairs.ts';

const EXPLANATION = `
PAIRS is .csv, .tsv or .jsonl (each also .gz) with two texts and a label: 1,
true, yes or same; 0, false, no or different. A label that is a number of any
size needs --same-from. 200 pairs are the least to rely on.

Thresholds come with the intervals of a bootstrap: the same pairs and the same
seed give the same figures. They hold for texts of the same treatment (--clean,
--long, --prompt, --glossary), model and precision.
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
  const { recall, precision, samples, seed } = calibrationDefaults;
  const command = program
    .command('calibrate')
    .summary('find the score from which two texts are the same')
    .description('Finds the score from which two texts count as the same, from pairs that you labelled.')
    .argument('<pairs>', 'file of labelled pairs')
    .option('--a <field>', 'field or column with one text', 'a')
    .option('--b <field>', 'field or column with the other', 'b')
    .option('--label <field>', 'field or column with the label', 'label')
    .option('--same-from <number>', 'labels are numbers; this or more is the same', number)
    .option('--want-recall <part>', 'part of the same pairs that must be found', part, recall)
    .option('--want-precision <part>', 'part of what is found that must be the same', part, precision)
    .option('--samples <n>', 'samples of the bootstrap', wholeNumber(1), samples)
    .option('--seed <n>', 'where its random numbers begin', wholeNumber(0), seed)
    .addOption(repeatable('--plot <file>', 'draw curve and scores as .svg or .png; may repeat', 'none'))
    .option('--json', 'print everything as one JSON object')
    .option('--quiet', 'print no progress');
  for (const option of [...embedderOptions(), ...treatmentOptions()]) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill calibrate pairs.csv --plot pairs.png', 'thresholds and a picture'],
          ['embedmill calibrate pairs.csv --want-recall 0.99 --json > thresholds.json', 'to use elsewhere'],
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
  const embedder = await openEmbedder(flags, { config, signal });
  try {
    let show: ((done: number) => void) | null = null;
    const { scored, unscored } = await scorePairs(pairs, embedder, (done, total) => {
      show ??= countingOn(display, total);
      show(done);
    });
    display.end();
    checkBothKinds(scored, path);
    const found = calibrate(scored, {
      recall: flags.wantRecall,
      precision: flags.wantPrecision,
      samples: flags.samples,
      seed: flags.seed,
    });
    const leftOut = `left out ${formatNoun(unscored, 'pair')} with a text that has no vector, such as a blank one`;
    const calibration = unscored === 0 ? found : { ...found, warnings: [leftOut, ...found.warnings] };
    if (flags.plot.length > 0) {
      const { drawCalibration } = await import('./plot.ts');
      const svg = drawCalibration(
        calibration,
        `${basename(path)}: ${formatNoun(scored.length, 'pair')}, ${embedder.name}`,
      );
      for (const plot of flags.plot) await savePlot(plot, svg);
    }
    const lines = flags.json
      ? [JSON.stringify({ model: embedder.name, ...calibration })]
      : describeCalibration(calibration, paintFor(context.stdout, context.environment));
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

/** Reads a part of a whole, above 0 to 1. */
function part(given: string): number {
  const value = Number(given);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0, up to 1.');
}
