/** Results of a calibration: three thresholds, the precision-recall curve and the histogram of cosines. */

import type { Calibration, ThresholdChoice } from '@embedmill/analysis/calibration';
import { useMemo, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { saveAs } from '../../api/client.ts';
import { Chart } from '../../ui/chart.tsx';
import { type ChartMark, precisionRecallOptions, twoHistogramOptions } from '../../ui/chart-options.ts';
import { count, share } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import type { PairCalibration } from './calibrate-pairs.ts';

/** Renders the results. */
export function CalibrationView({ result: { calibration, skippedPairs } }: { result: PairCalibration }) {
  const { bestF1, atRecall, atPrecision, pairs, same, warnings, averagePrecision } = calibration;
  const curve = useRef<uPlot | null>(null);
  const saveJson = () =>
    saveAs(new Blob([JSON.stringify(calibration, null, 2)], { type: 'application/json' }), 'thresholds.json');
  return (
    <>
      <Section
        title="Thresholds"
        aside={
          <div class="actions">
            <button type="button" class="button" onClick={saveJson}>
              Save as JSON
            </button>
            <button type="button" class="button" onClick={() => saveImage(curve.current)}>
              Save the curve as PNG
            </button>
          </div>
        }
      >
        <div class="stats">
          <Choice name="Balanced" meaning="best F1" choice={bestF1} />
          <Choice
            name="Never miss"
            meaning={`recall ≥ ${share(atRecall.wanted, 1)}`}
            choice={atRecall.choice}
          />
          <Choice
            name="Never wrong"
            meaning={`precision ≥ ${share(atPrecision.wanted, 1)}`}
            choice={atPrecision.choice}
          />
        </div>
        <p class="soft small">
          {count(pairs)} pairs, {count(same)} of them the same; average precision{' '}
          {averagePrecision.toFixed(3)}. In brackets: the 95 % confidence interval of the threshold.
          {skippedPairs > 0 && ` ${count(skippedPairs)} pairs were skipped, because a text has no vector.`}
        </p>
        {warnings.length > 0 && <p class="notice notice-warn">Caution: {warnings.join('; ')}.</p>}
      </Section>
      <div class="columns">
        <Section title="Precision and recall">
          <Curve
            calibration={calibration}
            onDrawn={(chart) => {
              curve.current = chart;
            }}
          />
        </Section>
        <Section title="Scores of the pairs">
          <Scores calibration={calibration} />
        </Section>
      </div>
    </>
  );
}

function Choice({
  name,
  meaning,
  choice,
}: {
  name: string;
  meaning: string;
  choice: ThresholdChoice | null;
}) {
  return (
    <div class="stat">
      <h3 class="stat-name">
        {name}: {meaning}
      </h3>
      {choice === null ? (
        <p>No threshold reaches this precision.</p>
      ) : (
        <>
          <p class="stat-value">
            {choice.threshold.toFixed(3)}{' '}
            <span class="stat-unit">
              [{choice.intervals.threshold[0].toFixed(3)} – {choice.intervals.threshold[1].toFixed(3)}]
            </span>
          </p>
          <p class="soft small">
            precision {share(choice.precision, 1)}, recall {share(choice.recall, 1)}, F1{' '}
            {choice.f1.toFixed(3)}
          </p>
        </>
      )}
    </div>
  );
}

function Curve({ calibration, onDrawn }: { calibration: Calibration; onDrawn: (chart: uPlot) => void }) {
  const data = useMemo(
    (): [number[], number[]] => [
      calibration.curve.map(({ recall }) => recall),
      calibration.curve.map(({ precision }) => precision),
    ],
    [calibration],
  );
  const marks = marksOf(calibration, ({ recall, precision }) => [recall, precision]);
  return (
    <Chart
      key={keyOf(marks)}
      title="Precision over recall"
      summary={`Precision over recall; average precision ${calibration.averagePrecision.toFixed(3)}, best F1 ${calibration.bestF1.f1.toFixed(3)} at ${calibration.bestF1.threshold.toFixed(3)}.`}
      data={data}
      options={precisionRecallOptions(marks)}
      onDrawn={onDrawn}
    />
  );
}

/** The chosen thresholds as marks; those that are equal share one. */
function marksOf(
  { bestF1, atRecall, atPrecision }: Calibration,
  place: (choice: ThresholdChoice) => ChartMark['at'],
): ChartMark[] {
  const marks = new Map<number, ChartMark>();
  for (const [name, choice] of [
    ['balanced', bestF1],
    ['never miss', atRecall.choice],
    ['never wrong', atPrecision.choice],
  ] as const) {
    if (choice === null) continue;
    const known = marks.get(choice.threshold);
    const label = known === undefined ? name : `${known.label}, ${name}`;
    marks.set(choice.threshold, { label, at: place(choice) });
  }
  return [...marks.values()];
}

/** Draws the chart again for other marks. */
function keyOf(marks: readonly ChartMark[]): string {
  return marks.map(({ label, at }) => `${label} ${at}`).join();
}

function Scores({ calibration }: { calibration: Calibration }) {
  const { histogram } = calibration;
  const data = useMemo(
    (): [number[], number[], number[]] => [
      histogram.map(({ from }) => from),
      histogram.map((bin) => bin.same),
      histogram.map((bin) => bin.different),
    ],
    [histogram],
  );
  const marks = marksOf(calibration, ({ threshold }) => [threshold, null]);
  return (
    <Chart
      key={keyOf(marks)}
      title="Pairs by cosine: same and different"
      summary={`Histogram of cosines from ${histogram[0]?.from.toFixed(2)} to ${histogram.at(-1)?.to.toFixed(2)} for both kinds of pairs.`}
      data={data}
      options={twoHistogramOptions(marks)}
    />
  );
}

function saveImage(chart: uPlot | null): void {
  chart?.ctx.canvas.toBlob((blob) => {
    if (blob !== null) saveAs(blob, 'precision-recall.png');
  });
}
