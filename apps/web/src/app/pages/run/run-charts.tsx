/** Charts of a run: throughput over time and lengths of its texts. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { RunStatistics } from '../../api/types.ts';
import { Chart } from '../../ui/chart.tsx';
import { histogramOptions, throughputOptions } from '../../ui/chart-options.ts';
import { count, duration, rate } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useResource } from '../../ui/use-resource.ts';

/** Seconds averaged for each point: batches end irregularly, and single intervals are noise. */
const MEAN_S = 10;

/** Time between two requests while the run is active; the figures above the charts are live. */
const RELOAD_MS = 4000;

/** Renders both charts; they are updated while the run is active. */
export function RunCharts({ run }: { run: RunInfo }) {
  const tick = useTick(run.state === 'open' || run.state === 'sealed');
  const version = `${run.state} ${tick}`;
  const { value, error, reload } = useResource<RunStatistics>(`v1/runs/${run.id}/statistics`, version);
  if (value === null) {
    return (
      <Section title="Charts">
        {error === null ? <Loading what="the charts" /> : <Failure error={error} onRetry={reload} />}
      </Section>
    );
  }
  return (
    <div class="columns">
      <Section title="Throughput">
        <Throughput statistics={value} />
      </Section>
      <Section title="Text lengths">
        <Lengths statistics={value} />
      </Section>
    </div>
  );
}

function Throughput({ statistics: { pace } }: { statistics: RunStatistics }) {
  const data = useMemo((): [number[], number[]] => {
    const start = Date.parse(pace.startedAt ?? '') / 1000;
    const step = pace.intervalMs / 1000;
    const width = Math.ceil(MEAN_S / step);
    const times = pace.rows.map((_, i) => start + i * step);
    const means = meanOver(pace.rows, width, step);
    // Means of less than the whole width depend on the end of one batch.
    const first = pace.rows.length > 2 * width ? width - 1 : 0;
    return [times.slice(first), means.slice(first)];
  }, [pace]);
  if (pace.rows.length < 2) {
    return (
      <Empty title="No data.">
        <p>The server keeps the curve in memory; this run was too short, or ended before the last restart.</p>
      </Empty>
    );
  }
  const seconds = (pace.rows.length * pace.intervalMs) / 1000;
  const max = Math.max(...data[1]);
  return (
    <Chart
      title={`Rows/s, mean of ${Math.max(MEAN_S, pace.intervalMs / 1000)} s`}
      summary={`Rows per second over ${duration(seconds)}; at most ${rate(max)}.`}
      data={data}
      options={throughputOptions}
    />
  );
}

function Lengths({ statistics: { lengths, rows } }: { statistics: RunStatistics }) {
  const data = useMemo(
    (): [number[], number[]] => [
      lengths.map((bucket) => bucket.fromTokens),
      lengths.map((bucket) => bucket.rows),
    ],
    [lengths],
  );
  if (rows === 0) return <Empty title="No rows are stored yet." />;
  return (
    <Chart
      title={`Texts by tokens, ${count(rows)} rows`}
      summary={`Histogram of ${count(rows)} rows by tokens. ${mostCommon(lengths)}`}
      data={data}
      options={histogramOptions({ x: 'tokens of the text', y: 'rows' })}
    />
  );
}

function mostCommon(lengths: RunStatistics['lengths']): string {
  const top = lengths.reduce((best, bucket) => (bucket.rows > best.rows ? bucket : best));
  return `Most texts have ${top.fromTokens} tokens or a few more.`;
}

/** Moving average in rows per second, over each interval and up to `width − 1` intervals before it. */
function meanOver(rows: readonly number[], width: number, stepSeconds: number): number[] {
  return rows.map((_, i) => {
    const window = rows.slice(Math.max(0, i + 1 - width), i + 1);
    return window.reduce((sum, n) => sum + n, 0) / (window.length * stepSeconds);
  });
}

/** Counts up every `RELOAD_MS` while `isOn`. */
function useTick(isOn: boolean): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setTick((n) => n + 1), RELOAD_MS);
    return () => clearInterval(timer);
  }, [isOn]);
  return tick;
}
