/** Formats a calibration for the terminal. */

import type { Calibration, Interval, ThresholdChoice } from '@embedmill/analysis';
import { formatCount, formatNoun } from '../../shell/terminal/numbers.ts';
import type { Paint } from '../../shell/terminal/style.ts';
import { formatTable } from '../../shell/terminal/table.ts';

/** A table of thresholds with their intervals, and warnings. */
export function describeCalibration(calibration: Calibration, paint: Paint): string[] {
  const { pairs, same, averagePrecision, bestF1, atRecall, atPrecision, bootstrap, warnings } = calibration;
  const percent = Math.round(bootstrap.confidence * 100);
  return [
    `${formatNoun(pairs, 'pair')}, ${formatCount(same)} the same; average precision ${figure(averagePrecision)}`,
    '',
    ...formatTable([
      ['', 'threshold', 'precision', 'recall', 'F1'],
      ['best F1', ...cells(bestF1)],
      [`recall ≥ ${atRecall.wanted}`, ...cells(atRecall.choice)],
      [
        `precision ≥ ${atPrecision.wanted}`,
        ...(atPrecision.choice === null
          ? ['no threshold reaches this precision']
          : cells(atPrecision.choice)),
      ],
    ]),
    '',
    `In brackets: ${percent} % intervals from ${formatCount(bootstrap.samples)} bootstrap samples (seed ${bootstrap.seed}).`,
    ...warnings.map((warning) => paint('warning', `Warning: ${warning}.`)),
  ];
}

function cells({ threshold, precision, recall, f1, intervals }: ThresholdChoice): string[] {
  return [
    withInterval(threshold, intervals.threshold),
    withInterval(precision, intervals.precision),
    withInterval(recall, intervals.recall),
    withInterval(f1, intervals.f1),
  ];
}

function withInterval(value: number, [low, high]: Interval): string {
  return `${figure(value)} (${figure(low)}–${figure(high)})`;
}

function figure(value: number): string {
  return value.toFixed(3);
}
